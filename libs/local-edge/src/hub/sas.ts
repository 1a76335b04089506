import { createHmac, timingSafeEqual } from 'node:crypto';
import { unauthorized } from '../errors.ts';

/** The parts of a shared access signature. */
export interface SasToken {
  /** Exactly as sent: it is what was signed. */
  readonly sr: string;
  readonly signature: Buffer;
  /** End of validity, seconds since 1970. */
  readonly expirySec: number;
  readonly policy: string | undefined;
}

const PREFIX = 'SharedAccessSignature ';

/** HMAC-SHA256 as every IoT Hub token uses it: the key is base64, so is the result. */
export function sign(keyBase64: string, data: string | Buffer): string {
  return createHmac('sha256', Buffer.from(keyBase64, 'base64')).update(data).digest('base64');
}

/** Reads a token; anything that is not one throws EDGE_UNAUTHORIZED. */
export function parseSasToken(text: string): SasToken {
  if (!text.startsWith(PREFIX)) throw unauthorized('the token is not a SharedAccessSignature');
  const fields = new Map<string, string>();
  for (const part of text.slice(PREFIX.length).split('&')) {
    const at = part.indexOf('=');
    if (at > 0 && !fields.has(part.slice(0, at))) fields.set(part.slice(0, at), part.slice(at + 1));
  }
  const sr = fields.get('sr');
  const sig = fields.get('sig');
  const se = fields.get('se');
  if (sr === undefined || sig === undefined || se === undefined || !/^\d{1,15}$/.test(se)) {
    throw unauthorized('the token lacks sr, sig or se');
  }
  return {
    sr,
    signature: Buffer.from(decode(sig), 'base64'),
    expirySec: Number(se),
    policy: fields.get('skn'),
  };
}

/** Throws EDGE_UNAUTHORIZED unless one of the keys signed the token and it has not ended. `nowMs`: wall clock. */
export function verifySasToken(token: SasToken, keys: readonly string[], nowMs: number): void {
  const signed = `${token.sr}\n${token.expirySec}`;
  const good = keys.some((key) => {
    const expected = Buffer.from(sign(key, signed), 'base64');
    return expected.length === token.signature.length && timingSafeEqual(expected, token.signature);
  });
  if (!good) throw unauthorized('the token is signed with another key');
  if (token.expirySec * 1000 <= nowMs) throw unauthorized('the token has expired');
}

/** What a device's or module's token is for: `<host>/devices/<D>[/modules/<M>]`, decoded. */
export interface SasAudience {
  readonly host: string;
  readonly deviceId: string;
  readonly moduleId: string | undefined;
}

/** Reads the audience of a device's or module's token. */
export function parseAudience(sr: string): SasAudience {
  const [host, devices, deviceId, modules, moduleId, ...rest] = decode(sr).split('/');
  const wellFormed =
    host !== undefined &&
    devices === 'devices' &&
    deviceId !== undefined &&
    deviceId !== '' &&
    rest.length === 0 &&
    (modules === undefined || (modules === 'modules' && moduleId !== undefined && moduleId !== ''));
  if (!wellFormed) throw unauthorized('the audience of the token is not a device or module');
  return { host, deviceId, moduleId };
}

/** A new token. `sr` goes in as it stands; encode it before where the receiver expects it encoded. */
export function createSasToken(sr: string, keyBase64: string, expirySec: number, policy?: string): string {
  const signature = encodeURIComponent(sign(keyBase64, `${sr}\n${expirySec}`));
  return `${PREFIX}sr=${sr}&sig=${signature}&se=${expirySec}${policy === undefined ? '' : `&skn=${policy}`}`;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw unauthorized('the token is not well encoded');
  }
}

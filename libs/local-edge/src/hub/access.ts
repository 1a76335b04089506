import type { Faults } from '../faults/faults.ts';
import { unauthorized } from '../errors.ts';
import { identityName, type IdentityStore } from '../state/identities.ts';
import { parseAudience, parseSasToken, verifySasToken } from './sas.ts';

/** The one policy of the service API. */
export const SERVICE_POLICY = 'iothubowner';

/**
 * How long an open connection outlives its token. A client whose clock is a little behind renews a little late; IoT
 * Hub bears that too. New connections get no such time.
 */
export const TOKEN_GRACE_MS = 10_000;

/** Most tokens that are remembered, to be refused after `expireTokens`; beyond it the oldest are forgotten. */
const MAX_TOKENS = 50_000;

/** The token with which a client came. */
export interface TokenGrant {
  readonly signature: string;
  /** By the hub's clock, milliseconds since 1970. */
  readonly expiresAtMs: number;
}

/** Decides by their tokens who may do what. The `check` methods throw EDGE_UNAUTHORIZED to refuse. */
export class HubAccess {
  readonly #identities: IdentityStore;
  readonly #faults: Pick<Faults, 'now' | 'isNetworkCut'>;
  readonly #hostNames: ReadonlySet<string>;
  /** Signatures of clients' tokens, the oldest first. */
  readonly #presented = new Set<string>();
  readonly #revoked = new Set<string>();

  /** `faults`: the hub's clock. `serverNames`: names of this machine that tokens may carry besides the hub's. */
  constructor(
    identities: IdentityStore,
    faults: Pick<Faults, 'now' | 'isNetworkCut'>,
    serverNames: readonly string[] = [],
  ) {
    this.#identities = identities;
    this.#faults = faults;
    this.#hostNames = new Set(['localhost', '127.0.0.1', ...serverNames.map((name) => name.toLowerCase())]);
  }

  /** Whether a fault cuts the network of a client. Faults name the modules of the edge device without it. */
  isCut(deviceId: string, moduleId: string): boolean {
    return this.#faults.isNetworkCut(faultName(this.#identities.hub.deviceId, deviceId, moduleId));
  }

  /** Checks a device's or module's token: ours, for it (or for its device, as edgeHub has it), and in time. */
  checkClient(deviceId: string, moduleId: string, password: string): TokenGrant {
    const identity = this.#identities.get(deviceId, moduleId);
    if (identity?.status !== 'enabled') {
      throw unauthorized(`"${identityName(deviceId, moduleId)}" is not known or disabled`);
    }
    const token = parseSasToken(password);
    const audience = parseAudience(token.sr);
    this.checkHost(audience.host);
    const forDevice = audience.moduleId === undefined;
    if (audience.deviceId !== deviceId || (!forDevice && audience.moduleId !== moduleId)) {
      throw unauthorized('the token is for another device or module');
    }
    const signer = forDevice ? this.#identities.require(deviceId) : identity;
    verifySasToken(token, [signer.primaryKey, signer.secondaryKey], this.#faults.now());
    const signature = token.signature.toString('base64');
    if (this.#revoked.has(signature)) throw unauthorized('the token was declared expired');
    remember(this.#presented, signature);
    return { signature, expiresAtMs: token.expirySec * 1000 };
  }

  /** Why a client that is connected may not stay; undefined when it may. */
  whyToClose(deviceId: string, moduleId: string, grant: TokenGrant): string | undefined {
    if (this.#revoked.has(grant.signature)) return 'its token was declared expired';
    if (grant.expiresAtMs + TOKEN_GRACE_MS <= this.#faults.now()) return 'its token has expired';
    if (this.#identities.get(deviceId, moduleId)?.status !== 'enabled') return 'it is not known or disabled';
    return undefined;
  }

  /** Every token that a client has presented so far is refused from now on. Forgotten when the runtime stops. */
  expireTokens(): void {
    for (const signature of this.#presented) remember(this.#revoked, signature);
    this.#presented.clear();
  }

  /** Checks a token of the service policy. `nowMs`: by the hub's clock unless told otherwise. */
  checkService(authorization: string, nowMs = this.#faults.now()): void {
    const token = parseSasToken(authorization);
    if (token.policy !== SERVICE_POLICY) throw unauthorized(`a token of the policy ${SERVICE_POLICY} is needed`);
    verifySasToken(token, [this.#identities.hub.serviceKey], nowMs);
    this.checkHost(token.sr);
  }

  /** The hub's name, or this machine's, whatever the port: tokens name the host their client was given. */
  checkHost(host: string): void {
    const name = decodeHost(host).toLowerCase().replace(/:\d+$/, '');
    const hub = this.#identities.hub.hubHostName.toLowerCase().replace(/:\d+$/, '');
    if (name !== hub && !this.#hostNames.has(name)) throw unauthorized(`the token is for the hub "${host}"`);
  }
}

/** The name by which faults know a client. */
export function faultName(edgeDeviceId: string, deviceId: string, moduleId: string): string {
  return deviceId === edgeDeviceId && moduleId !== '' ? moduleId : identityName(deviceId, moduleId);
}

function remember(signatures: Set<string>, signature: string): void {
  signatures.delete(signature);
  signatures.add(signature);
  for (const oldest of signatures) {
    if (signatures.size <= MAX_TOKENS) break;
    signatures.delete(oldest);
  }
}

function decodeHost(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

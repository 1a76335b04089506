import pc from 'picocolors';

/** An upstream message as the control API sends it. */
export interface MonitoredMessage {
  readonly sequence: number;
  readonly enqueuedTimeUtc: string;
  readonly deviceId: string;
  readonly moduleId: string;
  readonly output: string;
  readonly properties: Readonly<Record<string, string>>;
  /** Absent where the body is no text. */
  readonly body?: string;
  readonly bodyBase64?: string;
}

/** Longer bodies are cut in text; `--output json` has all of them. */
const MAX_BODY_CHARS = 2000;

/** A message in one line: when, number, from where, properties, body. */
export function messageText(message: MonitoredMessage): string {
  const { sequence, enqueuedTimeUtc, deviceId, moduleId, output, properties } = message;
  const from = moduleId === '' ? deviceId : `${moduleId}${output === '' ? '' : `/${output}`}`;
  const bag = Object.entries(properties).map(([key, value]) => `${key}=${value}`);
  return [
    pc.dim(`${enqueuedTimeUtc} #${sequence}`),
    pc.cyan(from),
    ...bag.map((text) => pc.dim(text)),
    bodyText(message),
  ].join('  ');
}

function bodyText({ body, bodyBase64 = '' }: MonitoredMessage): string {
  if (body === undefined) return `<${Buffer.byteLength(bodyBase64, 'base64')} bytes>`;
  const line = body.replaceAll(/[\r\n]+/g, ' ');
  return line.length <= MAX_BODY_CHARS ? line : `${line.slice(0, MAX_BODY_CHARS)}... (${line.length} characters)`;
}

import { requestInvalid } from './errors.ts';

/** RTSP 1.0 requests (RFC 2326) out of a TCP stream that also carries interleaved RTCP. */

const MAX_HEADER_BYTES = 16 * 1024;
const MAX_BODY_BYTES = 64 * 1024;

export interface RtspRequest {
  readonly method: string;
  readonly url: string;
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
}

export class RtspParser {
  #buffer: Buffer = Buffer.alloc(0);

  /** The requests that are complete now. @throws RTSP_REQUEST_INVALID; the connection is unusable then */
  push(chunk: Buffer): RtspRequest[] {
    this.#buffer = this.#buffer.length === 0 ? chunk : Buffer.concat([this.#buffer, chunk]);
    const requests: RtspRequest[] = [];
    for (;;) {
      // '$', channel, length: a client's RTCP inside the connection. We need nothing from it.
      if (this.#buffer[0] === 0x24) {
        if (this.#buffer.length < 4) return requests;
        const end = 4 + this.#buffer.readUInt16BE(2);
        if (this.#buffer.length < end) return requests;
        this.#buffer = this.#buffer.subarray(end);
        continue;
      }
      const end = this.#buffer.indexOf('\r\n\r\n');
      if (end < 0 || end > MAX_HEADER_BYTES) {
        if (this.#buffer.length > MAX_HEADER_BYTES) throw requestInvalid('a request header is too long');
        return requests;
      }
      const request = parseRequest(this.#buffer.toString('latin1', 0, end));
      const bodyBytes = Number(request.headers.get('content-length') ?? 0);
      if (!Number.isInteger(bodyBytes) || bodyBytes < 0 || bodyBytes > MAX_BODY_BYTES) {
        throw requestInvalid('a request body is too long');
      }
      if (this.#buffer.length < end + 4 + bodyBytes) return requests;
      this.#buffer = this.#buffer.subarray(end + 4 + bodyBytes);
      requests.push(request);
    }
  }
}

function parseRequest(text: string): RtspRequest {
  const [first = '', ...lines] = text.replace(/^(?:\r\n)+/, '').split('\r\n');
  const match = /^([A-Z_]+) (\S+) RTSP\/1\.\d$/.exec(first);
  if (match === null) throw requestInvalid('a request line is not RTSP/1.0');
  const headers = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(':');
    if (colon > 0) headers.set(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim());
  }
  return { method: match[1] ?? '', url: match[2] ?? '', headers };
}

export const RTSP_STATUS = {
  200: 'OK',
  400: 'Bad Request',
  404: 'Not Found',
  415: 'Unsupported Media Type',
  454: 'Session Not Found',
  455: 'Method Not Valid In This State',
  459: 'Aggregate Operation Not Allowed',
  461: 'Unsupported Transport',
  500: 'Internal Server Error',
  501: 'Not Implemented',
  503: 'Service Unavailable',
} as const;

export type RtspStatus = keyof typeof RTSP_STATUS;

export function formatResponse(
  status: RtspStatus,
  cseq: string | undefined,
  headers: Readonly<Record<string, string>>,
  body = '',
): string {
  const lines = [`RTSP/1.0 ${status} ${RTSP_STATUS[status]}`];
  if (cseq !== undefined) lines.push(`CSeq: ${cseq}`);
  lines.push('Server: vantage');
  for (const [name, value] of Object.entries(headers)) lines.push(`${name}: ${value}`);
  if (body !== '') lines.push(`Content-Length: ${Buffer.byteLength(body)}`);
  return `${lines.join('\r\n')}\r\n\r\n${body}`;
}

/** What a client's Transport header asks for, as far as we can give it. */
export type Transport =
  | { readonly kind: 'tcp'; readonly rtpChannel: number; readonly rtcpChannel: number }
  | { readonly kind: 'udp'; readonly rtpPort: number; readonly rtcpPort: number };

/** The first of the offered transports that we serve; undefined when there is none. */
export function chooseTransport(header: string): Transport | undefined {
  for (const offer of header.split(',')) {
    const parts = offer.split(';').map((part) => part.trim());
    if (parts.includes('multicast')) continue;
    const pair = (name: string): [number, number] | undefined => {
      const match = new RegExp(`^${name}=(\\d{1,5})(?:-(\\d{1,5}))?$`).exec(
        parts.find((p) => p.startsWith(name)) ?? '',
      );
      return match === null ? undefined : [Number(match[1]), Number(match[2] ?? Number(match[1]) + 1)];
    };
    const profile = parts[0]?.toUpperCase();
    if (profile === 'RTP/AVP/TCP') {
      const [rtpChannel, rtcpChannel] = pair('interleaved') ?? [0, 1];
      if (rtpChannel < 256 && rtcpChannel < 256) return { kind: 'tcp', rtpChannel, rtcpChannel };
    } else if (profile === 'RTP/AVP' || profile === 'RTP/AVP/UDP') {
      const [rtpPort, rtcpPort] = pair('client_port') ?? [0, 0];
      if (rtpPort > 0 && rtpPort < 65536 && rtcpPort > 0 && rtcpPort < 65536) return { kind: 'udp', rtpPort, rtcpPort };
    }
  }
  return undefined;
}

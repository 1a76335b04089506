import { nalType } from '@vantage/media';
import { RTP_PAYLOAD_TYPE } from './rtp.ts';
import type { StreamDescription } from './rtsp-source.ts';

/** The name of the only track under a source's URL. */
export const TRACK = 'trackID=0';

/** What DESCRIBE answers (RFC 4566; parameters of RFC 6184 8.1 and RFC 7798 7.1). */
export function describeStream(stream: StreamDescription, address: string): string {
  const encoding = stream.codec === 'h264' ? 'H264' : 'H265';
  const lines = [
    'v=0',
    `o=- 1 1 IN ${address.includes(':') ? 'IP6' : 'IP4'} ${address}`,
    `s=${stream.name.replace(/[^\x20-\x7e]/g, '?')}`,
    't=0 0',
    'a=control:*',
    'a=range:npt=now-',
    `m=video 0 RTP/AVP ${RTP_PAYLOAD_TYPE}`,
    'c=IN IP4 0.0.0.0',
    `a=rtpmap:${RTP_PAYLOAD_TYPE} ${encoding}/90000`,
    `a=fmtp:${RTP_PAYLOAD_TYPE} ${formatParameters(stream)}`,
    ...(stream.fps > 0 ? [`a=framerate:${stream.fps}`] : []),
    `a=control:${TRACK}`,
  ];
  return lines.join('\r\n') + '\r\n';
}

function formatParameters(stream: StreamDescription): string {
  const base64 = (nal: Uint8Array): string => Buffer.from(nal).toString('base64');
  if (stream.codec === 'h264') {
    const sps = stream.parameterSets.find((nal) => nalType('h264', nal) === 7);
    const profile = sps === undefined ? '42e01f' : Buffer.from(sps.subarray(1, 4)).toString('hex');
    const sets = stream.parameterSets.map(base64).join(',');
    return `packetization-mode=1;profile-level-id=${profile};sprop-parameter-sets=${sets}`;
  }
  const names = { 32: 'sprop-vps', 33: 'sprop-sps', 34: 'sprop-pps' };
  return Object.entries(names)
    .map(([type, name]) => [name, stream.parameterSets.filter((nal) => nalType('hevc', nal) === Number(type))] as const)
    .filter(([, sets]) => sets.length > 0)
    .map(([name, sets]) => `${name}=${sets.map(base64).join(',')}`)
    .join(';');
}

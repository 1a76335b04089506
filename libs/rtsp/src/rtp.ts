import type { NalCodec } from '@vantage/media';

/** RTP (RFC 3550) for H.264 (RFC 6184) and H.265 (RFC 7798): single NAL unit packets and fragmentation units. */

export const RTP_PAYLOAD_TYPE = 96;
export const RTP_CLOCK_HZ = 90_000;
const RTP_HEADER_BYTES = 12;
/** Stays below an Ethernet frame with IP and UDP headers. */
const MAX_PAYLOAD_BYTES = 1400;
const H264_FU_A = 28;
const H265_FU = 49;

/** The numbers of one RTP stream. */
export class RtpStream {
  readonly ssrc: number;
  sequence: number;
  packets = 0;
  octets = 0;

  constructor(ssrc: number, firstSequence: number) {
    this.ssrc = ssrc;
    this.sequence = firstSequence;
  }

  /** All packets of one frame, in order, each with `headroom` free bytes in front. */
  packetise(codec: NalCodec, nals: readonly Uint8Array[], timestamp: number, headroom: number): Uint8Array[] {
    const packets: Uint8Array[] = [];
    nals.forEach((nal, index) => {
      const last = index === nals.length - 1;
      if (nal.length <= MAX_PAYLOAD_BYTES) {
        const packet = this.#packet(nal.length, timestamp, last, headroom);
        packet.set(nal, headroom + RTP_HEADER_BYTES);
        packets.push(packet);
      } else {
        this.#fragment(codec, nal, timestamp, last, headroom, packets);
      }
    });
    return packets;
  }

  #fragment(
    codec: NalCodec,
    nal: Uint8Array,
    timestamp: number,
    lastNal: boolean,
    headroom: number,
    packets: Uint8Array[],
  ): void {
    const headerBytes = codec === 'h264' ? 1 : 2;
    const room = MAX_PAYLOAD_BYTES - headerBytes - 1;
    for (let from = headerBytes; from < nal.length; from += room) {
      const part = nal.subarray(from, from + room);
      const start = from === headerBytes;
      const end = from + room >= nal.length;
      const packet = this.#packet(headerBytes + 1 + part.length, timestamp, end && lastNal, headroom);
      const at = headroom + RTP_HEADER_BYTES;
      const first = nal[0] ?? 0;
      const marks = (start ? 0x80 : 0) | (end ? 0x40 : 0);
      if (codec === 'h264') {
        packet[at] = (first & 0xe0) | H264_FU_A;
        packet[at + 1] = marks | (first & 0x1f);
      } else {
        packet[at] = (first & 0x81) | (H265_FU << 1);
        packet[at + 1] = nal[1] ?? 0;
        packet[at + 2] = marks | ((first >> 1) & 0x3f);
      }
      packet.set(part, at + headerBytes + 1);
      packets.push(packet);
    }
  }

  #packet(payloadBytes: number, timestamp: number, marker: boolean, headroom: number): Uint8Array {
    const packet = new Uint8Array(headroom + RTP_HEADER_BYTES + payloadBytes);
    const view = new DataView(packet.buffer, headroom);
    view.setUint8(0, 0x80);
    view.setUint8(1, (marker ? 0x80 : 0) | RTP_PAYLOAD_TYPE);
    view.setUint16(2, this.sequence);
    view.setUint32(4, timestamp);
    view.setUint32(8, this.ssrc);
    this.sequence = (this.sequence + 1) & 0xffff;
    this.packets = (this.packets + 1) >>> 0;
    this.octets = (this.octets + payloadBytes) >>> 0;
    return packet;
  }

  /** A sender report (RFC 3550 6.4.1): ties RTP time to the wall clock. */
  senderReport(wallMs: number, timestamp: number, headroom: number): Uint8Array {
    const report = new Uint8Array(headroom + 28);
    const view = new DataView(report.buffer, headroom);
    view.setUint32(0, 0x80c80006);
    view.setUint32(4, this.ssrc);
    const seconds = Math.floor(wallMs / 1000);
    // NTP counts from 1900.
    view.setUint32(8, (seconds + 2_208_988_800) >>> 0);
    view.setUint32(12, Math.floor(((wallMs / 1000 - seconds) * 2 ** 32) % 2 ** 32));
    view.setUint32(16, timestamp);
    view.setUint32(20, this.packets);
    view.setUint32(24, this.octets);
    return report;
  }

  /** A goodbye (RFC 3550 6.6). */
  goodbye(headroom: number): Uint8Array {
    const packet = new Uint8Array(headroom + 8);
    const view = new DataView(packet.buffer, headroom);
    view.setUint32(0, 0x81cb0001);
    view.setUint32(4, this.ssrc);
    return packet;
  }
}

/** Microseconds on the RTP clock, wrapped to 32 bits. */
export function rtpTimestamp(baseTicks: number, us: number): number {
  return (baseTicks + Math.round((us * RTP_CLOCK_HZ) / 1e6)) % 2 ** 32;
}

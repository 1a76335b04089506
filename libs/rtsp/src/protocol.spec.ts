import { describe, expect, test } from '@jest/globals';
import { RtspParser, chooseTransport } from './rtsp-message.ts';
import { RtpStream, rtpTimestamp } from './rtp.ts';

describe('requests', () => {
  test('come out of any cut, and interleaved data is passed over', () => {
    const bytes = Buffer.concat([
      Buffer.from('OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n'),
      Buffer.from([0x24, 1, 0, 3, 13, 10, 13]),
      Buffer.from(
        'SET_PARAMETER rtsp://h/x RTSP/1.0\r\nCSeq: 2\r\nContent-Length: 4\r\n\r\nabcdPLAY rtsp://h/x RTSP/1.0\r\n\r\n',
      ),
    ]);
    const parser = new RtspParser();
    const methods = [...bytes].flatMap((byte) => parser.push(Buffer.of(byte))).map(({ method }) => method);
    expect(methods).toEqual(['OPTIONS', 'SET_PARAMETER', 'PLAY']);
  });

  test.each([
    ['RTP/AVP/TCP;unicast;interleaved=2-3', { kind: 'tcp', rtpChannel: 2, rtcpChannel: 3 }],
    ['RTP/AVP/TCP', { kind: 'tcp', rtpChannel: 0, rtcpChannel: 1 }],
    ['RTP/AVP;unicast;client_port=5000-5001', { kind: 'udp', rtpPort: 5000, rtcpPort: 5001 }],
    ['RTP/AVP;multicast,RTP/AVP/UDP;unicast;client_port=7000', { kind: 'udp', rtpPort: 7000, rtcpPort: 7001 }],
    ['RTP/AVP;unicast;client_port=0-1', undefined],
    ['RTP/SAVP;unicast;client_port=5000-5001', undefined],
    ['', undefined],
  ])('transport %j', (header, expected) => {
    expect(chooseTransport(header)).toEqual(expected);
  });
});

describe('RTP', () => {
  test('cuts a large NAL unit into fragments that put together are the unit', () => {
    for (const [codec, header] of [
      ['h264', [0x65]],
      ['hevc', [0x26, 0x01]],
    ] as const) {
      const nal = Uint8Array.from({ length: 5000 }, (_, index) => header[index] ?? index & 255);
      const packets = new RtpStream(7, 65_534).packetise(codec, [nal], 90_000, 0);
      const skip = 12 + header.length + 1;
      const body = Buffer.concat(packets.map((packet) => packet.subarray(skip)));
      expect(Buffer.compare(body, Buffer.from(nal.subarray(header.length)))).toBe(0);
      expect(packets.map((packet) => (packet[2]! << 8) | packet[3]!)).toEqual([65_534, 65_535, 0, 1]);
      expect(packets.map((packet) => packet[1]! >> 7)).toEqual([0, 0, 0, 1]);
      expect(packets.map((packet) => packet[skip - 1]! >> 6)).toEqual([2, 0, 0, 1]);
      expect(packets.every((packet) => packet.length <= 1412)).toBe(true);
    }
  });

  test('wraps its clock', () => {
    expect(rtpTimestamp(2 ** 32 - 1, 1_000_000)).toBe(89_999);
  });
});

import type { Socket as UdpSocket } from 'node:dgram';
import type { Socket } from 'node:net';
import type { PacketSink } from './rtsp-session.ts';

/** What may wait for a slow TCP client; above it frames are left out for it, never kept. */
const MAX_WAITING_BYTES = 2 << 20;

/** Packets inside the RTSP connection (RFC 2326 10.12). */
export class InterleavedSink implements PacketSink {
  readonly headroom = 4;
  readonly #socket: Socket;
  readonly #rtpChannel: number;
  readonly #rtcpChannel: number;

  constructor(socket: Socket, rtpChannel: number, rtcpChannel: number) {
    this.#socket = socket;
    this.#rtpChannel = rtpChannel;
    this.#rtcpChannel = rtcpChannel;
  }

  ready(): boolean {
    return this.#socket.writable && this.#socket.writableLength <= MAX_WAITING_BYTES;
  }

  sendRtp(packets: readonly Uint8Array[]): void {
    this.#socket.cork();
    for (const packet of packets) this.#write(packet, this.#rtpChannel);
    this.#socket.uncork();
  }

  sendRtcp(packet: Uint8Array): void {
    this.#write(packet, this.#rtcpChannel);
  }

  #write(packet: Uint8Array, channel: number): void {
    const length = packet.length - this.headroom;
    packet[0] = 0x24;
    packet[1] = channel;
    packet[2] = length >> 8;
    packet[3] = length & 255;
    this.#socket.write(packet);
  }
}

/** Packets as datagrams. What the network does not take is lost, as it should be. */
export class DatagramSink implements PacketSink {
  readonly headroom = 0;
  readonly #rtp: UdpSocket;
  readonly #rtcp: UdpSocket;
  readonly #address: string;
  readonly #rtpPort: number;
  readonly #rtcpPort: number;

  constructor(sockets: { rtp: UdpSocket; rtcp: UdpSocket }, address: string, rtpPort: number, rtcpPort: number) {
    this.#rtp = sockets.rtp;
    this.#rtcp = sockets.rtcp;
    this.#address = address;
    this.#rtpPort = rtpPort;
    this.#rtcpPort = rtcpPort;
  }

  ready(): boolean {
    return this.#rtp.getSendQueueSize() <= MAX_WAITING_BYTES;
  }

  sendRtp(packets: readonly Uint8Array[]): void {
    for (const packet of packets) this.#rtp.send(packet, this.#rtpPort, this.#address, () => undefined);
  }

  sendRtcp(packet: Uint8Array): void {
    this.#rtcp.send(packet, this.#rtcpPort, this.#address, () => undefined);
  }
}

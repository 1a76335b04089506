import { once } from 'node:events';
import net, { type AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import { Aedes } from 'aedes';
import { generate, parser as packetParser, type IConnectPacket, type Packet } from 'mqtt-packet';
import { toInsightsDocument, type ExportTarget } from '@vantage/skill';
import { IDS, bench, closeAll, closers, frame, node, play } from './exports-bench.ts';

afterEach(closeAll);

describe('MQTT', () => {
  interface Broker {
    readonly address: string;
    readonly messages: { topic: string; client: string; payload: string }[];
    readonly clients: string[];
    stop(): Promise<void>;
  }

  /** A real broker, which speaks MQTT 3.1.1. */
  async function broker(port = 0): Promise<Broker> {
    const messages: Broker['messages'] = [];
    const clients: string[] = [];
    const aedes = await Aedes.createBroker();
    aedes.on('client', ({ id }) => clients.push(id));
    aedes.on('publish', ({ topic, payload }, client) => {
      if (client) messages.push({ topic, client: client.id, payload: payload.toString() });
    });
    const sockets = new Set<net.Socket>();
    const server = net.createServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => undefined);
      aedes.handle(socket);
    });
    await once(server.listen(port, '127.0.0.1'), 'listening');
    const stop = async (): Promise<void> => {
      if (!server.listening) return;
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
      await new Promise<void>((resolve) => aedes.close(() => resolve()));
    };
    closers.push(stop);
    return { address: `127.0.0.1:${(server.address() as AddressInfo).port}`, messages, clients, stop };
  }

  /** The little of MQTT 5 that a publisher meets. */
  async function broker5(
    answer: (packet: Packet & { cmd: 'publish' }, count: number) => number | undefined = () => 0,
  ): Promise<{ address: string; connects: IConnectPacket[]; payloads: string[] }> {
    const connects: IConnectPacket[] = [];
    const payloads: string[] = [];
    const sockets = new Set<net.Socket>();
    const server = net.createServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => undefined);
      const parser = packetParser({ protocolVersion: 5 });
      parser.on('packet', (packet) => {
        if (packet.cmd === 'connect') {
          connects.push(packet);
          socket.write(generate({ cmd: 'connack', reasonCode: 0, sessionPresent: false }, { protocolVersion: 5 }));
        }
        if (packet.cmd !== 'publish') return;
        payloads.push(packet.payload.toString());
        const reasonCode = answer(packet, payloads.length);
        if (reasonCode === undefined) return;
        socket.write(generate({ cmd: 'puback', messageId: packet.messageId!, reasonCode }, { protocolVersion: 5 }));
      });
      socket.on('data', (chunk) => void parser.parse(chunk));
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    closers.push(async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    });
    return { address: `127.0.0.1:${(server.address() as AddressInfo).port}`, connects, payloads };
  }

  const mqtt = (address: string): ExportTarget => ({ kind: 'mqtt', broker: address, topic: 'mqttmessage' });

  test('delay 2 s, objects for 10 s: five messages, none without objects, JSON once (H 23)', async () => {
    const { address, messages, clients } = await broker();
    const { run, until } = bench();
    const stages = run([node('mqtt', mqtt(address), 2), node('second', mqtt(address), 100)]);
    play(stages, 10, []);
    play(stages, 10);
    await until('mqtt', ({ sent }) => sent === 5);
    await until('second', ({ sent }) => sent === 1);
    expect(messages).toHaveLength(6);
    expect(new Set(messages.map(({ topic, client }) => `${topic} ${client}`))).toEqual(
      new Set(['mqttmessage instance-abc']),
    );
    expect(JSON.parse(messages[0]!.payload)).toEqual(toInsightsDocument(frame(0), IDS));
    // Two nodes, one connection: the same id twice would push itself out.
    expect(clients).toEqual(['instance-abc']);
  });

  test('MQTT 5 is spoken where the broker knows it; what it refuses counts as failed', async () => {
    const quotaExceeded = 0x97;
    const { address, connects, payloads } = await broker5((_, count) => (count === 2 ? quotaExceeded : 0));
    const { run, until, exporters } = bench();
    play(run([node('mqtt', mqtt(`mqtt://user:secret@${address}`))]), 0.3);
    await until('mqtt', ({ sent, failed }) => sent === 2 && failed === 1);
    expect(connects).toHaveLength(1);
    expect(connects[0]).toMatchObject({ protocolVersion: 5, clientId: 'instance-abc', username: 'user', clean: true });
    expect(payloads).toHaveLength(3);
    expect(exporters.status('p')['mqtt']).toMatchObject({ state: 'ok', target: expect.not.stringContaining('secret') });
  });

  test('an unplugged broker: the newest are dropped, the rest arrives when it is there, also after it was away', async () => {
    const first = await broker();
    const port = Number(first.address.split(':')[1]);
    await first.stop();
    const { run, until, exporters, lines } = bench();
    const stages = run([node('mqtt', mqtt(first.address))]);
    play(stages, 4);
    expect(exporters.status('p')['mqtt']).toMatchObject({ sent: 0, queued: 30, dropped: 10 });
    await until('mqtt', ({ lastError }) => lastError?.includes('ECONNREFUSED') === true);
    const second = await broker(port);
    await until('mqtt', ({ sent }) => sent === 30);
    expect(second.messages.map(({ payload }) => (JSON.parse(payload) as { frame_id: string }).frame_id)).toEqual(
      Array.from({ length: 30 }, (_, at) => String(at)),
    );
    await second.stop();
    play(stages, 0.5);
    const third = await broker(port);
    await until('mqtt', ({ sent }) => sent === 35);
    expect(third.messages.length).toBeGreaterThanOrEqual(4);
    expect(lines.filter((line) => line.includes('too slowly'))).toHaveLength(1);
    expect(lines).toContain(`no connection to ${first.address}: connect ECONNREFUSED ${first.address}`);
  });

  test.each(['', 'host only and spaces', 'ftp://h:1', 'h:1:2'])('the broker %j is told', async (address) => {
    const { run, exporters } = bench();
    play(run([node('mqtt', mqtt(address))]), 0.1);
    const reason = { state: 'failing', lastError: 'the broker is not host:port' };
    expect(exporters.status('p')['mqtt']).toMatchObject({ sent: 0, queued: 1, ...reason });
    await exporters.stop();
  });
});

import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdtempSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { VideoSource, resolveFfmpeg, type Ffmpeg, type SourceStateChange } from '@vantage/media';
import { silentLogger } from '@vantage/observability';
import { MediaServer } from '../src/index.ts';

const assets = resolve(import.meta.dirname, '../../..', process.env['VANTAGE_ASSETS'] ?? '../shared/assets');
const root = mkdtempSync(join(tmpdir(), 'vantage-rtspsim-'));
const folder = join(root, 'media');
const logger = silentLogger;
let ffmpeg: Ffmpeg;
let server: MediaServer;

beforeAll(async () => {
  ffmpeg = await resolveFfmpeg();
  mkdirSync(folder);
  const make = (name: string, ...codec: string[]): void => {
    const input = ['-v', 'error', '-f', 'lavfi', '-i', 'testsrc2=size=320x180:rate=25:duration=1.2'];
    execFileSync(ffmpeg.path, [...input, ...codec, '-pix_fmt', 'yuv420p', '-y', join(folder, name)]);
  };
  make('street 1.mp4', '-c:v', 'libx264', '-g', '15');
  make('hevc.mkv', '-c:v', 'libx265', '-preset', 'ultrafast', '-x265-params', 'log-level=none');
  make('other.mkv', '-c:v', 'mpeg4');
  writeFileSync(join(root, 'secret.mp4'), 'secret');
  symlinkSync(join(root, 'secret.mp4'), join(folder, 'link.mp4'));
  server = new MediaServer({ folder, ffmpeg, logger, port: 0, host: '127.0.0.1' });
  await server.start();
});

afterEach(() => {
  server.faults.frozen = false;
  server.faults.clockShiftUs = 0;
});

afterAll(async () => {
  await server.stop();
  rmSync(root, { recursive: true, force: true });
});

/** Speaks RTSP by hand. */
class Client {
  readonly socket: Socket;
  #text = '';
  #wake: () => void = () => undefined;

  constructor(port: number) {
    this.socket = connect(port, '127.0.0.1');
    this.socket.on('data', (chunk: Buffer) => {
      this.#text += chunk.toString('latin1');
      this.#wake();
    });
    this.socket.on('error', () => undefined);
  }

  async ask(method: string, url: string, headers = ''): Promise<{ status: number; text: string }> {
    this.#text = '';
    this.socket.write(`${method} ${url} RTSP/1.0\r\nCSeq: 7\r\n${headers}\r\n`);
    // While playing, answers stand between binary packets.
    for (;;) {
      const text = /RTSP\/1\.0 (\d+)[^]*?\r\n\r\n[^]*/.exec(this.#text);
      if (text !== null) return { status: Number(text[1]), text: text[0] };
      await new Promise<void>((wake) => (this.#wake = wake));
    }
  }
}

async function withClient(use: (client: Client) => Promise<void>, port = server.port): Promise<void> {
  const client = new Client(port);
  try {
    await use(client);
  } finally {
    client.socket.destroy();
  }
}

interface Watched {
  pictures: number[];
  packets: number[];
  states: SourceStateChange[];
}

async function watch(
  url: string,
  until: (seen: Watched) => boolean,
  during: (seen: Watched) => void = () => undefined,
): Promise<Watched> {
  const seen: Watched = { pictures: [], packets: [], states: [] };
  let done: () => void = () => undefined;
  const finished = new Promise<void>((settle) => (done = settle));
  const check = (): void => {
    during(seen);
    if (until(seen)) done();
  };
  const source = new VideoSource(
    {
      url,
      ffmpeg,
      picture: { networkWidth: 64, networkHeight: 64, keepAspect: true },
      encoded: true,
      pace: 'realtime',
      loop: false,
      reconnect: { baseMs: 20, capMs: 50 },
      stallTimeoutMs: 700,
      logger,
    },
    {
      onPicture: ({ ptsUs }) => {
        seen.pictures.push(ptsUs);
        check();
      },
      onPacket: ({ ptsUs }) => {
        seen.packets.push(ptsUs);
      },
      onState: (change) => {
        seen.states.push(change);
        check();
      },
    },
  );
  source.start();
  await finished;
  await source.stop();
  return seen;
}

const steps = (times: readonly number[]): number[] => times.slice(1).map((time, index) => time - times[index]!);

describe('a player gets', () => {
  test.each(['street 1.mp4', 'hevc.mkv'])('%s over and over, on one line of time, frame by frame', async (name) => {
    const { pictures, packets } = await watch(server.url(name), (seen) => seen.pictures.length === 70);
    expect(new Set(steps(pictures))).toEqual(new Set([40_000]));
    const known = new Set(packets);
    expect(pictures.filter((time) => !known.has(time))).toEqual([]);
  });

  test('all frames over UDP, too, while others watch', async () => {
    const count = (transport: string): string => {
      const args = ['-v', 'error', '-rtsp_transport', transport, '-i', server.url('street 1.mp4'), '-map', '0:v'];
      return [...args, '-c', 'copy', '-frames:v', '50', '-f', 'framecrc', '-'].join('\n');
    };
    const { execFile } = await import('node:child_process');
    const { promisify } = await import('node:util');
    const run = promisify(execFile);
    const clients = ['udp', 'udp', 'tcp'].map((transport) => run(ffmpeg.path, count(transport).split('\n')));
    for (const { stdout, stderr } of await Promise.all(clients)) {
      expect(stdout.split('\n').filter((line) => /^0,/.test(line)).length).toBe(50);
      expect(stderr).not.toMatch(/missed|corrupt|concealing/);
    }
  });

  test('a real file', async () => {
    if (!existsSync(join(assets, 'videos'))) {
      process.stderr.write(`skipped: no media in ${assets} (set VANTAGE_ASSETS)\n`);
      return;
    }
    copyFileSync(join(assets, 'videos/o4n-people.mp4'), join(folder, 'people.mp4'));
    // Asked for as .mkv, the way old manifests do.
    const { pictures } = await watch(server.url('people.mkv'), (seen) => seen.pictures.length === 30);
    expect(steps(pictures).every((step) => step > 41_000 && step < 42_500)).toBe(true);
  });
});

describe('a camera that', () => {
  const running = ({ states }: Watched): number => states.filter(({ state }) => state === 'running').length;
  const reasons = ({ states }: Watched): string[] =>
    states.flatMap(({ state, reason }) => (state === 'reconnecting' ? reason : []));

  test('loses its connection comes back on the same line of time', async () => {
    let cut = false;
    const seen = await watch(
      server.url('street 1.mp4'),
      (now) => running(now) === 2 && now.pictures.length > 20,
      ({ pictures }) => {
        if (cut || pictures.length < 10) return;
        cut = true;
        server.disconnectAll();
      },
    );
    expect(steps(seen.pictures).every((step) => step > 0)).toBe(true);
    expect(reasons(seen)[0]).toMatch(/ended the stream|no frame for/);
  });

  test('hangs is noticed and tried again', async () => {
    const seen = await watch(
      server.url('street 1.mp4'),
      (now) => running(now) === 2,
      ({ pictures, states }) => {
        server.faults.frozen = pictures.length >= 10 && states.at(-1)?.state === 'running';
      },
    );
    expect(reasons(seen)[0]).toBe('no frame for 700 ms');
    expect(steps(seen.pictures).every((step) => step > 0)).toBe(true);
  });

  test.each([
    ['back', -30_000_000],
    ['forth', 3_600_000_000],
  ])('sets its clock %s never makes time go back or leap', async (_name, shiftUs) => {
    const seen = await watch(
      server.url('street 1.mp4'),
      (now) => running(now) === 2 && now.pictures.length > 30,
      ({ pictures }) => {
        server.faults.clockShiftUs = pictures.length >= 15 ? shiftUs : 0;
      },
    );
    expect(steps(seen.pictures).every((step) => step > 0 && step < 20_000_000)).toBe(true);
    expect(reasons(seen)[0]).toMatch(/clock jumped|no frame for/);
  });

  test('is not there says so', async () => {
    const seen = await watch(server.url('nothing.mp4'), ({ states }) => states.length === 2);
    expect(reasons(seen)[0]).toMatch(/404/);
  });
});

describe('the protocol', () => {
  const transport = 'Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n';

  test('lists what it can, describes, sets up, plays, and lets go', async () => {
    const other = new MediaServer({ folder, ffmpeg, logger, port: 0, host: '127.0.0.1' });
    await other.start();
    await withClient(async (client) => {
      const url = other.url('street 1.mp4');
      expect((await client.ask('OPTIONS', '*')).text).toMatch(/CSeq: 7\r\n[^]*Public: .*DESCRIBE.*TEARDOWN/);
      const described = await client.ask('DESCRIBE', url);
      expect(described.text).toMatch(/a=rtpmap:96 H264\/90000/);
      expect(described.text).toMatch(/sprop-parameter-sets=Z[\w+/=]+,aO[\w+/=]+/);
      const setUp = await client.ask('SETUP', `${url}/trackID=0`, transport);
      const session = /Session: (\w+)/.exec(setUp.text)?.[1];
      expect(setUp.text).toMatch(/Transport: RTP\/AVP\/TCP;unicast;interleaved=0-1;ssrc=[0-9a-f]{8}/);
      expect((await client.ask('GET_PARAMETER', url, `Session: ${session}\r\n`)).status).toBe(200);
      expect((await client.ask('PLAY', url, `Session: ${session}\r\n`)).text).toMatch(
        /RTP-Info: url=.*;seq=\d+;rtptime=\d+/,
      );
      expect(other.activity).toEqual({ streams: 1, clients: 1 });
      expect((await client.ask('TEARDOWN', url, `Session: ${session}\r\n`)).status).toBe(200);
      expect(other.activity).toEqual({ streams: 0, clients: 0 });
    }, other.port);
    await other.stop();
  });

  test.each([
    ['DESCRIBE', '/media/nothing.mp4', '', 404],
    ['DESCRIBE', '/street 1.mp4'.replace(' ', '%20'), '', 404],
    ['DESCRIBE', '/media/../secret.mp4', '', 404],
    ['DESCRIBE', '/media/..%2Fsecret.mp4', '', 404],
    ['DESCRIBE', '/media/link.mp4', '', 404],
    ['DESCRIBE', '/media/%ff', '', 404],
    ['DESCRIBE', '/media/', '', 404],
    ['DESCRIBE', '/media/other.mkv', '', 415],
    ['SETUP', '/media/street%201.mp4/trackID=0', 'Transport: RAW/RAW/UDP;unicast\r\n', 461],
    ['SETUP', '/media/street%201.mp4/trackID=0', 'Transport: RTP/AVP;multicast;port=5000-5001\r\n', 461],
    ['SETUP', '/media/nothing.mp4/trackID=0', transport, 404],
    ['PLAY', '/media/street%201.mp4', '', 454],
    ['PLAY', '/media/street%201.mp4', 'Session: 12345678\r\n', 454],
    ['TEARDOWN', '/media/street%201.mp4', 'Session: 12345678\r\n', 454],
    ['RECORD', '/media/street%201.mp4', '', 501],
  ])('%s %s (%j) is answered with %d', async (method, path, headers, status) => {
    await withClient(async (client) => {
      const answer = await client.ask(method, `rtsp://127.0.0.1:${server.port}${path}`, headers);
      expect(answer.status).toBe(status);
    });
  });

  test.each(['GET / HTTP/1.1\r\n\r\n', 'X'.repeat(20_000)])('%.20j is a bad request', async (text) => {
    await withClient(async ({ socket }) => {
      const answer = once(socket, 'data') as Promise<Buffer[]>;
      socket.write(text);
      expect(String((await answer)[0])).toMatch(/^RTSP\/1\.0 400/);
      await once(socket, 'close');
    });
  });

  test('a client that reads nothing loses frames and keeps no memory', async () => {
    await withClient(async (client) => {
      const url = server.url('street 1.mp4');
      const { text } = await client.ask('SETUP', url, transport);
      client.socket.pause();
      client.socket.write(`PLAY ${url} RTSP/1.0\r\nCSeq: 8\r\nSession: ${/Session: (\w+)/.exec(text)?.[1]}\r\n\r\n`);
      const before = process.memoryUsage().arrayBuffers;
      await watch(url, (seen) => seen.pictures.length === 10);
      expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(20 << 20);
    });
  });
});

test('stop is clean and may be repeated', async () => {
  const other = new MediaServer({ folder, ffmpeg, logger, port: 0, host: '127.0.0.1' });
  await other.start();
  const socket = connect(other.port, '127.0.0.1');
  await once(socket, 'connect');
  const closed = once(socket, 'close');
  socket.on('error', () => undefined);
  await other.stop();
  await other.stop();
  await closed;
});

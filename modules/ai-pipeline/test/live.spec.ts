import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { FrameInsights } from '@vantage/skill';
import { FRAMES, LiveBench, isGreen, isRed, numberOf, type Watcher } from './support/live-bench.ts';

const bench = new LiveBench();
/** Whose boxes are green. */
const CLASS = 0;

beforeAll(async () => {
  await bench.open();
  const gate = bench.clip('gate.mp4', '-c:v', 'libx264', '-g', '25', '-bf', '0');
  const lagging = bench.clip('b.mp4', '-c:v', 'libx264', '-g', '25', '-bf', '2');
  const hevc = bench.clip(
    'hevc.mkv',
    '-c:v',
    'libx265',
    '-preset',
    'ultrafast',
    '-x265-params',
    'log-level=none:keyint=25',
  );
  await bench.engine.apply([
    bench.graph('Street', { gate, b: lagging }),
    bench.graph('Yard', { hevc }),
    bench.graph('Hall', { hall: gate }, { overlay: true }),
  ]);
  await cameras(4);
});

afterAll(() => bench.close());

/** Waits until so many cameras run. */
async function cameras(count: number): Promise<void> {
  const running = (): number => bench.live.hub.list().filter(({ status }) => status?.state === 'running').length;
  while (running() < count) await once(bench.engine, 'status');
}

const insightsOf = ({ texts }: Watcher): number[] =>
  texts.flatMap(({ type, ptsUs }) => (type === 'insights' && ptsUs !== undefined ? [ptsUs] : []));

/** Steps of a clip that is played round after round. */
function expectInOrder(numbers: readonly number[]): void {
  expect(numbers.slice(1)).toEqual(numbers.slice(0, -1).map((number) => (number + 1) % FRAMES));
}

describe('in a WebSocket', () => {
  test.each(['gate', 'B'])('each frame of %s is a fragment, and what is seen has its time', async (sensor) => {
    const watcher = bench.watch(`street/${sensor}`);
    await watcher.until(() => watcher.binary.length > 40 && insightsOf(watcher).length > 40);
    await watcher.close();
    const [init] = watcher.texts;
    expect(init).toMatchObject({
      type: 'init',
      mimeType: expect.stringMatching(/^video\/mp4; codecs="avc1\./),
      width: 320,
    });
    expect(Math.abs(init!.baseTimeMs! + insightsOf(watcher).at(-1)! / 1000 - Date.now())).toBeLessThan(3000);
    const { pictures, us } = bench.decode(Buffer.concat(watcher.binary));
    expect(pictures.length).toBe(watcher.binary.length - 1);
    // Of a stream with B-frames the last ones lack those between them.
    expectInOrder(pictures.slice(0, -3).map(numberOf));
    const told = insightsOf(watcher);
    const shown = us.filter((time) => time >= told[4]! && time <= told.at(-5)!);
    expect(shown.length).toBeGreaterThan(25);
    expect(shown.filter((time) => !told.includes(time))).toEqual([]);
  });

  test('nobody is there, and the camera hands nothing on', async () => {
    let packets = 0;
    bench.engine.on('live', () => (packets += 1));
    const watcher = bench.watch('Street/gate');
    await watcher.until(() => watcher.binary.length > 5);
    await watcher.close();
    const entry = bench.live.hub.find('Street', 'gate')!;
    while (bench.live.hub.camera(entry).watchers > 0) await once(bench.engine, 'insights');
    // What was on its way has arrived when a frame after it has.
    for (let frames = 0; frames < 5; frames += 1) await once(bench.engine, 'insights');
    const before = packets;
    for (let frames = 0; frames < 50; frames += 1) await once(bench.engine, 'insights');
    expect(packets).toBe(before);
  });

  test.each([
    ['of a camera that is not there', 'Street/nobody', /404/],
    ['of half an address', 'Street', /404/],
  ])('%s: it is refused', async (_name, where, why) => {
    const { socket } = bench.watch(where);
    expect(String((await once(socket, 'error'))[0])).toMatch(why);
  });

  test('twenty watch, and the stream is made once', async () => {
    const watchers = Array.from({ length: 20 }, () => bench.watch('Street/gate'));
    await Promise.all(watchers.map((one) => one.until(() => one.binary.length > 30)));
    expect(bench.live.api.activity.sockets).toBe(20);
    const [one, ...others] = watchers.map(({ binary }) => binary.at(20)!);
    expect(others.every((other) => other.length > 0) && one!.length > 0).toBe(true);
    await Promise.all(watchers.map((watcher) => watcher.close()));
  });
});

describe('as pictures', () => {
  test('HEVC is told from what browsers play, and goes as MJPEG, decoded once while somebody looks', async () => {
    const list = (await (await fetch(bench.http('/live'))).json()) as { sensor: string; mse: boolean; rtsp: string }[];
    expect(list.find(({ sensor }) => sensor === 'hevc')).toMatchObject({
      ...{ pipeline: 'Yard', codec: 'hevc', mse: false, width: 320, height: 180, state: 'running' },
      rtsp: bench.rtsp('Yard'),
    });
    expect(list.find(({ sensor }) => sensor === 'gate')).toMatchObject({ mse: true, rtsp: bench.rtsp('Street/gate') });
    const abort = new AbortController();
    const answers = await Promise.all(
      [1, 2].map(() => fetch(bench.http('/live/yard/hevc.mjpeg'), { signal: abort.signal })),
    );
    expect(answers[0]!.headers.get('content-type')).toBe('multipart/x-mixed-replace; boundary=picture');
    const reader = answers[0]!.body!.getReader();
    let bytes = Buffer.alloc(0);
    while (bytes.toString('latin1').split('--picture').length < 6) {
      bytes = Buffer.concat([bytes, (await reader.read()).value!]);
    }
    expect(bench.live.api.activity).toEqual({ sockets: 0, pictures: 2, decoders: 1 });
    abort.abort();
    while (bench.live.api.activity.pictures > 0) await once(bench.engine, 'insights');
    expect(bench.live.api.activity.decoders).toBe(0);
    const start = bytes.indexOf('\r\n\r\n') + 4;
    const length = Number(/content-length: (\d+)/.exec(bytes.toString('latin1'))![1]);
    const { pictures } = bench.decode(bytes.subarray(start, start + length));
    expect(numberOf(pictures[0]!)).toBeLessThan(FRAMES);
  });

  test('one JPEG', async () => {
    const answer = await fetch(bench.http('/live/Street/gate.jpg'));
    expect(answer.headers.get('content-type')).toBe('image/jpeg');
    expect(bench.decode(Buffer.from(await answer.arrayBuffer())).pictures).toHaveLength(1);
    expect((await fetch(bench.http('/live/Street/nobody.jpg'))).status).toBe(404);
    expect((await fetch(bench.http('/live/Street/gate'))).status).toBe(404);
  });
});

describe('over RTSP', () => {
  test.each(['street/b', 'STREET/Gate', 'yard'])('%s gives every frame of the camera at its time', async (where) => {
    const { pictures, seconds } = await bench.play(bench.rtsp(where), 40);
    expectInOrder(pictures.map(numberOf));
    const steps = seconds.slice(1).map((time, at) => time - seconds[at]!);
    expect(Math.max(...steps)).toBeLessThan(0.0402);
    expect(Math.min(...steps)).toBeGreaterThan(0.0398);
    expect(pictures.some((picture) => isRed(picture, 160, 99))).toBe(false);
  });

  test('with osd what is known is painted in, encoded once, only while somebody watches', async () => {
    // A model finds a box that moves with the number of the frame; it says so for every third.
    const camera = bench.live.hub.camera(bench.live.hub.find('Hall')!);
    const look = (pipeline: string, frame: FrameInsights): void => {
      if (pipeline !== 'Hall' || (frame.frameId % FRAMES) % 3 !== 0) return;
      const box = { left: 40 + 4 * (frame.frameId % FRAMES), top: 40, width: 40, height: 30 };
      const found = { classId: CLASS, confidence: 1, label: 'a', box, trackingId: 0, componentId: 1, attributes: [] };
      camera.insights({ ...frame, detections: [found] });
    };
    bench.engine.on('insights', look);
    const players = ['hall', 'HALL/hall'].map((where) => bench.play(bench.rtsp(where), 12));
    const [{ pictures, seconds }] = (await Promise.all(players)) as [Awaited<(typeof players)[0]>];
    bench.engine.off('insights', look);
    expect(bench.live.rtsp!.activity.painted).toBe(1);
    // A machine that is too busy for an encoder may leave frames out; those that come are at their own times.
    const numbers = pictures.map(numberOf);
    const due = numbers.map((_, at) => (numbers[0]! + Math.round((seconds[at]! - seconds[0]!) * 25)) % FRAMES);
    expect(numbers).toEqual(due);
    expect(pictures.every((picture) => isRed(picture, 160, 99))).toBe(true);
    const boxes = pictures.map((picture, at) => isGreen(picture, 40 + 4 * numbers[at]!, 55));
    expect(boxes).toEqual(numbers.map((number) => number % 3 === 0));
    while (bench.live.rtsp!.activity.painted > 0) await once(bench.engine, 'insights');
  });

  test.each([
    ['nobody', 404],
    ['street/nobody', 404],
    ['street/gate/more', 404],
  ])('%s is answered with %d', async (where, status) => {
    const socket = connect(bench.live.rtsp!.port, '127.0.0.1');
    socket.write(`DESCRIBE ${bench.rtsp(where)} RTSP/1.0\r\nCSeq: 1\r\n\r\n`);
    expect(String((await once(socket, 'data'))[0])).toMatch(new RegExp(`^RTSP/1.0 ${status}`));
    socket.destroy();
  });
});

describe('a camera', () => {
  test('that goes away and comes back shows its picture to those who have waited', async () => {
    const camera = await bench.camera('gate.mp4');
    const graphs = bench.engine.graphs;
    await bench.engine.apply([...graphs, bench.graph('Far', { far: camera.url })]);
    await cameras(5);
    const watcher = bench.watch('Far/far');
    await watcher.until(() => watcher.binary.length > 10);
    camera.server.disconnectAll();
    await watcher.until(() => {
      const told = insightsOf(watcher);
      return (
        told.length > 10 &&
        told.at(-1)! - told.at(-9)! < 500_000 &&
        told.some((us, at) => us - (told[at - 1] ?? us) > 200_000)
      );
    });
    await watcher.close();
    const { us } = bench.decode(Buffer.concat(watcher.binary));
    expect(us.slice(1).every((time, at) => time > us[at]!)).toBe(true);
    expect(watcher.texts.filter(({ type }) => type === 'init')).toHaveLength(1);
    await bench.engine.apply(graphs);
    await camera.server.stop();
  });

  test('that leaves the configuration lets its watchers go, and may come back', async () => {
    const graphs = bench.engine.graphs;
    const watcher = bench.watch('Yard/hevc');
    await watcher.until(() => watcher.binary.length > 3);
    await bench.engine.apply(graphs.filter(({ id }) => id !== 'Yard'));
    while (watcher.closed === undefined) await once(bench.engine, 'insights');
    expect(watcher.closed).toBe(1001);
    await bench.engine.apply(graphs);
    await cameras(4);
    const again = bench.watch('Yard/hevc');
    await again.until(() => again.binary.length > 3);
    expect(again.texts[0]).toMatchObject({ type: 'init', mimeType: expect.stringMatching(/hvc1/) });
    await again.close();
  });
});

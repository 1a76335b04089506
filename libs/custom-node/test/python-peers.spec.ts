import { afterEach, describe, expect, test } from '@jest/globals';
import type { NodeResult } from '../src/index.ts';
import { numberedFrame } from './support/frames.ts';
import { closeAll, serve, TestNode, WatchedClient } from './support/nodes.ts';
import { FAKE_DETECTION, python, PYTHON_MISSING, REFERENCE_CLIENT, runPython, startPython } from './support/python.ts';

afterEach(closeAll);

const CAR = {
  label: 'car',
  confidence: Math.fround(0.9),
  inferenceId: 'inference_1',
  timestamp: { seconds: 10n, nanos: 100 },
  bbox: { l: Math.fround(0.1), t: Math.fround(0.2), w: Math.fround(0.3), h: Math.fround(0.4) },
};

function objectsOf(result: NodeResult): unknown {
  return result.ok ? result.insights?.objects : result;
}

// Acceptance scenarios of the contract, section H, by their numbers.
describe('with Python at the other end', () => {
  if (python === undefined) {
    process.stderr.write(`custom nodes with Python: skipped, ${PYTHON_MISSING}\n`);
    test.skip(`scenarios 2, 3, 5, 13, 14, 17, 18: ${PYTHON_MISSING}`, () => undefined);
    return;
  }

  test('2, 3: handshake, then ten frames in order, one car each', async () => {
    const server = await startPython(FAKE_DETECTION, '--port', '0');
    const client = await new WatchedClient(server.port).ready();
    expect(client.status.wants).toEqual({ image: 'numpy', answerImage: 'numpy', response: 'insights' });
    for (let n = 0; n < 10; n++) {
      const result = await client.process(numberedFrame(64, 48, { frameId: String(n) }));
      expect(objectsOf(result)).toEqual([CAR]);
    }
    await server.seen('processing ...', 10);
    expect(client.status.counters).toMatchObject({ calls: 10, answered: 10, failures: {}, handshakes: 1 });
  });

  test('5: the reference client and our server', async () => {
    const node = new TestNode({ image: 'numpy', response: 'insights' }, () => ({
      insights: { objects: [{ label: 'seen', confidence: 1 }] },
    }));
    const { port } = await serve(node);
    const lines = (await runPython(REFERENCE_CLIENT, String(port))).trim().split('\n');
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
      { ack: 1, image: 0, response: 1 },
      ...[2, 3, 4].map((ack) => ({ ack, labels: ['seen'], pixels: '' })),
    ]);
    expect(node.seen).toHaveLength(3);
    const [frame] = node.seen;
    expect(frame).toMatchObject({ width: 2, height: 2, colorFormat: 'BGR', frameId: '0', insights: { objects: [] } });
    expect(frame!.pixels).toHaveLength(12);
    expect([...frame!.pixels!.subarray(3, 6)]).toEqual([3, 4, 5]);
  });

  test('13, 14: not there at first, killed in between, there again', async () => {
    const first = await startPython(FAKE_DETECTION, '--port', '0');
    await first.kill();
    const watched = new WatchedClient(first.port);
    await watched.until(({ error }) => error?.code === 'CUSTOM_NODE_UNREACHABLE');
    expect(await watched.client.process(numberedFrame(4, 4))).toMatchObject({
      ok: false,
      code: 'CUSTOM_NODE_NOT_READY',
    });

    const second = await startPython(FAKE_DETECTION, '--port', String(first.port));
    const client = await watched.ready();
    expect(objectsOf(await client.process(numberedFrame(4, 4)))).toEqual([CAR]);
    await second.kill();
    const lost = await watched.until(({ state }) => state === 'connecting');
    expect(lost.error?.code).toBe('CUSTOM_NODE_UNREACHABLE');

    await startPython(FAKE_DETECTION, '--port', String(first.port));
    await watched.ready();
    expect(objectsOf(await client.process(numberedFrame(4, 4)))).toEqual([CAR]);
    expect(client.status.counters.handshakes).toBe(2);
  });

  test('17: 1080p is too large for it, and both numbers are named; smaller, it fits', async () => {
    const { port } = await startPython(FAKE_DETECTION, '--port', '0');
    const client = await new WatchedClient(port, { sharedMemory: 'off' }).ready();
    const result = await client.process(numberedFrame(1920, 1080));
    expect(result).toMatchObject({ ok: false, code: 'CUSTOM_NODE_MESSAGE_TOO_LARGE' });
    expect((result as { message: string }).message).toMatch(/message 6,220,[89]\d\d > 4,194,304 .*downscale/);
    expect(client.status).toMatchObject({ state: 'ready', error: { code: 'CUSTOM_NODE_MESSAGE_TOO_LARGE' } });
    const smaller = await new WatchedClient(port, {
      sharedMemory: 'off',
      downscale: { width: 1280, height: 720 },
    }).ready();
    expect(objectsOf(await smaller.process(numberedFrame(1920, 1080)))).toEqual([CAR]);
    expect(smaller.status.counters).toMatchObject({ downscaled: 1, answered: 1 });
  });

  test('17: a limit that is believed to be higher is learnt from the refusal', async () => {
    const { port } = await startPython(FAKE_DETECTION, '--port', '0');
    const client = await new WatchedClient(port, { sharedMemory: 'off', maxMessageBytes: 64_000_000 }).ready();
    for (let n = 0; n < 3; n++) {
      const result = await client.process(numberedFrame(1920, 1080));
      expect(result).toMatchObject({ ok: false, code: 'CUSTOM_NODE_MESSAGE_TOO_LARGE' });
      expect((result as { message: string }).message).toContain('> 4,194,304');
    }
    expect(client.status.counters.calls).toBe(1);
    expect(objectsOf(await client.process(numberedFrame(1280, 720)))).toEqual([CAR]);
  });

  test('18: every way to write the address', async () => {
    const { port } = await startPython(FAKE_DETECTION, '--port', '0');
    const ways = [
      `localhost:${port}`,
      `127.0.0.1:${port}/GRPC`,
      `http://127.0.0.1:${port}`,
      `dns:///127.0.0.1:${port}`,
    ];
    for (const endpoint of ways) {
      const client = await new WatchedClient(endpoint).ready();
      expect(objectsOf(await client.process(numberedFrame(4, 4)))).toEqual([CAR]);
    }
  });
});

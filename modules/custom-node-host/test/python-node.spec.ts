import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, jest, test } from '@jest/globals';
import { createBench, describeWithPython, expectGone, frameOf } from './support.ts';

jest.setTimeout(120_000);

const bench = createBench();
const EXAMPLES = fileURLToPath(new URL('../../../sdk/python/examples/', import.meta.url));

/** A node whose `process` has the given lines. */
const nodePy = (...lines: readonly string[]): string => `
import os, sys, time
from vantage_custom_node import Answer, CustomNode, NodeDescription

kept = []

class Mine(CustomNode):
    def __init__(self, settings):
        self.word = settings.get("word", "")

    def describe(self):
        return NodeDescription(image="none", response="insights")

    def process(self, frame):
        ${lines.join('\n        ')}
`;

describeWithPython('a node in Python', () => {
  const start = async (definition: Parameters<typeof bench.node>[0], ...lines: readonly string[]) => {
    const folder = bench.folder({ 'node.py': nodePy(...lines) });
    const node = bench.node({ source: { kind: 'folder', folder }, ...definition });
    const { port, pid } = await node.running();
    return { node, port, pid: pid!, file: path.join(folder, 'node.py') };
  };

  test('gets its settings; what it raises costs the frame; a new version takes the port over', async () => {
    const { node, port, pid, file } = await start(
      { settings: { word: 'hello' }, env: { WORD: 'there' } },
      'print("saw", frame.frame_id)',
      'if frame.frame_id == "2": raise ValueError("no such thing")',
      'return Answer(other={"said": self.word + " " + os.environ["WORD"]})',
    );
    const client = await bench.client(port);
    expect(await client.process(frameOf())).toMatchObject({ insights: { other: { said: 'hello there' } } });
    expect(await client.process(frameOf({ frameId: '2' }))).toMatchObject({
      ok: false,
      message: expect.stringContaining('no such thing'),
    });
    await bench.logged(/node mine prints: saw 1/);
    const { error, language } = await node.until(({ calls }) => calls === 2);
    expect(language).toBe('python');
    expect(error?.message).toMatch(/ValueError: no such thing \(node\.py line \d+ in process\)/);

    writeFileSync(file, 'import vantage_custom_node\nraise RuntimeError("half written")\n');
    const { rejected } = await node.until((status) => status.rejected !== undefined);
    expect(rejected?.message).toMatch(/RuntimeError: half written \(node\.py line 2/);
    expect(await client.process(frameOf())).toMatchObject({ ok: true });
    writeFileSync(file, nodePy('return Answer(other={"said": "new"})'));
    await node.until(({ reloads }) => reloads === 1);
    await expectGone(pid);
    const again = await bench.client(port);
    expect(await again.process(frameOf())).toMatchObject({ insights: { other: { said: 'new' } } });
    expect(node.hosted.status).toMatchObject({ restarts: 0, port });
  });

  test('that hangs, exits or takes too much memory is ended and started again', async () => {
    const { node, port } = await start(
      { deadlineMs: 400, memoryMiB: 128 },
      'if frame.frame_id == "hang": time.sleep(60)',
      'if frame.frame_id == "exit": os._exit(4)',
      'if frame.frame_id == "leak":',
      '    for _ in range(100): kept.append(b"x" * (4 << 20)); time.sleep(0.01)',
      'return Answer(other={"said": str(os.getpid())})',
    );
    const codes = { hang: 'HOSTED_NODE_HUNG', exit: 'HOSTED_NODE_ENDED', leak: 'HOSTED_NODE_MEMORY' };
    for (const [at, [frameId, code]] of Object.entries(codes).entries()) {
      const { pid } = await node.running();
      const client = await bench.client(port);
      expect((await client.process(frameOf({ frameId }))).ok).toBe(false);
      await node.until(({ restarts }) => restarts === at + 1);
      await bench.logged(new RegExp(code));
      await expectGone(pid!);
    }
    await node.running();
    expect(await (await bench.client(port)).process(frameOf())).toMatchObject({ ok: true });
  });

  test('of the examples runs as it is', async () => {
    const folder = bench.folder({
      'fake_detection.py': readFileSync(path.join(EXAMPLES, 'fake_detection.py'), 'utf8'),
      '_sdk.py': readFileSync(path.join(EXAMPLES, '_sdk.py'), 'utf8'),
    });
    const node = bench.node({ source: { kind: 'folder', folder }, entry: 'fake_detection.py' });
    const { port } = await node.running();
    const result = await (await bench.client(port)).process(frameOf());
    expect(result).toMatchObject({ insights: { objects: [{ label: 'car', inferenceId: 'inference_1' }] } });
  });
});

test('without a Python that has what it needs a node says what to install', async () => {
  const folder = bench.folder({ 'node.py': nodePy('return None') });
  const before = process.env['VANTAGE_PYTHON'];
  process.env['VANTAGE_PYTHON'] = '/nowhere/python3';
  try {
    const node = bench.node({ source: { kind: 'folder', folder } });
    const { error } = await node.until((status) => status.error !== undefined);
    expect(error).toMatchObject({ code: 'HOSTED_NODE_PYTHON_MISSING' });
    expect(error?.message).toMatch(/there is no such program.*python3-grpcio/);
  } finally {
    if (before === undefined) delete process.env['VANTAGE_PYTHON'];
    else process.env['VANTAGE_PYTHON'] = before;
  }
});

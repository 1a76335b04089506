import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { describe, expect, jest, test } from '@jest/globals';
import { plainClient } from './plain-client.ts';
import { createBench, expectGone, frameOf } from './support.ts';

jest.setTimeout(120_000);

const bench = createBench();

/** A node whose `process` is the given code. */
const nodeTs = (code: string, before = ''): string => `
import { CustomNode, type NodeFrame } from '@vantage/custom-node';
${before}
export class Mine extends CustomNode {
  settings: Record<string, unknown>;
  constructor(settings: Record<string, unknown>) { super(); this.settings = settings; }
  override describe() { return { image: 'none', response: 'insights' } as const; }
  override async process(frame: NodeFrame): Promise<any> { ${code} }
}
`;
const say = (expression: string): string => `return { insights: { other: { said: String(${expression}) } } };`;

const folderNode = (code: string, before = '') => {
  const folder = bench.folder({ 'package.json': '{"type":"module"}', 'node.ts': nodeTs(code, before) });
  return { source: { kind: 'folder', folder } as const, file: path.join(folder, 'node.ts'), folder };
};

describe('a node in TypeScript', () => {
  test('gets its settings, environment and frames; what it prints is logged; calls are counted', async () => {
    const { source } = folderNode(
      `console.log('saw frame', frame.frameId); ${say('`${this.settings.word} ${process.env.WORD} ${process.env.SECRET_KEY}`')}`,
    );
    process.env['SECRET_KEY'] = 'not for nodes';
    const node = bench.node({ source, settings: { word: 'good' }, env: { WORD: 'morning' } });
    const { port, pid } = await node.running();
    const client = await bench.client(port);
    const result = await client.process(frameOf({ frameId: '7' }));
    expect(result).toMatchObject({ ok: true, insights: { other: { said: 'good morning undefined' } } });
    const status = await node.until(({ calls }) => calls === 1);
    expect(status).toMatchObject({ errors: 0, restarts: 0, language: 'typescript' });
    expect(status.p95Ms).toBeGreaterThan(0);
    await bench.logged(/node mine prints: saw frame 7/);
    expect(await bench.metrics.text()).toContain('vantage_hosted_node_calls_total{node="mine",result="ok"} 1');
    await node.hosted.stop();
    await expectGone(pid!);
  });

  test('that throws costs the frame only; the reason is told', async () => {
    const { source } = folderNode(`if (frame.frameId === '1') throw new Error('no such thing'); ${say('"fine"')}`);
    const node = bench.node({ source });
    const { port, pid } = await node.running();
    const client = await bench.client(port);
    expect(await client.process(frameOf())).toMatchObject({
      ok: false,
      message: expect.stringContaining('no such thing'),
    });
    expect(await client.process(frameOf({ frameId: '2' }))).toMatchObject({ ok: true });
    const status = await node.until(({ calls }) => calls === 2);
    expect(status).toMatchObject({ errors: 1, pid, error: { message: 'no such thing' } });
  });

  test('that crashes is started again; calls meanwhile are answered with the reason', async () => {
    const { source } = folderNode(`if (frame.frameId === '1') process.exit(3); ${say('process.pid')}`);
    const node = bench.node({ source });
    const { port, pid } = await node.running();
    const client = await bench.client(port);
    expect((await client.process(frameOf())).ok).toBe(false);
    const after = await node.until((status) => status.state === 'running' && status.restarts === 1);
    expect(after.pid).not.toBe(pid);
    expect(after).toMatchObject({ port, calls: 1, errors: 1 });
    const again = await bench.client(port);
    expect(await again.process(frameOf({ frameId: '2' }))).toMatchObject({
      insights: { other: { said: String(after.pid) } },
    });
    expect(bench.log.join('')).toMatch(/HOSTED_NODE_ENDED/);
    await expectGone(pid!);
  });

  test('that hangs is ended when its deadline is over, and started again', async () => {
    const { source } = folderNode(`if (frame.frameId === '1') for (;;) {} ${say('"fine"')}`);
    const node = bench.node({ source, deadlineMs: 300 });
    const { port, pid } = await node.running();
    const client = await bench.client(port, { deadlineMs: 2000 });
    expect((await client.process(frameOf())).ok).toBe(false);
    await node.until((status) => status.state === 'running' && status.restarts === 1);
    expect(bench.log.join('')).toMatch(/hangs: a call did not come back within 300 ms.*HOSTED_NODE_HUNG/);
    await expectGone(pid!);
    const again = await bench.client(port);
    expect(await again.process(frameOf({ frameId: '2' }))).toMatchObject({ ok: true });
  });

  test('that waits for too long loses the call, not the process', async () => {
    const { source } = folderNode(
      `if (frame.frameId === '1') await new Promise((resolve) => setTimeout(resolve, 900)); ${say('"fine"')}`,
    );
    const node = bench.node({ source, deadlineMs: 200 });
    const { port, pid } = await node.running();
    const client = await bench.client(port);
    expect(await client.process(frameOf())).toMatchObject({ ok: false, code: 'CUSTOM_NODE_DEADLINE' });
    expect(await client.process(frameOf({ frameId: '2' }))).toMatchObject({ ok: true });
    const status = await node.until(({ calls }) => calls === 2);
    expect(status).toMatchObject({ pid, restarts: 0, timeouts: 1, errors: 1 });
  });

  test('whose calls never come back is ended once they hold all places', async () => {
    const { source } = folderNode(`await new Promise(() => {});`);
    const node = bench.node({ source, deadlineMs: 100, maxInFlight: 2 });
    const { port } = await node.running();
    const client = await bench.client(port, { inFlight: 2 });
    await Promise.all([client.process(frameOf()), client.process(frameOf())]);
    await node.until((status) => status.restarts === 1);
    expect(bench.log.join('')).toContain('2 calls did not come back within 100 ms');
  });

  test('that uses more memory than it may is ended with the figure', async () => {
    const { source } = folderNode(
      `const block = Buffer.alloc(4 << 20, 1); kept.push(block); ${say('kept.length')}`,
      'const kept: Buffer[] = [];',
    );
    const node = bench.node({ source, memoryMiB: 192 });
    const { port } = await node.running();
    const client = await bench.client(port);
    let sent = 0;
    while (node.hosted.status.restarts === 0 && sent < 500) {
      sent += 1;
      await client.process(frameOf());
    }
    await node.until((status) => status.restarts === 1);
    expect(bench.log.join('')).toMatch(/uses \d+ MiB, more than its memoryMiB of 192.*HOSTED_NODE_MEMORY/);
  });

  test('that fails every time is left alone for a while: the circuit opens', async () => {
    const { source } = folderNode(`throw new Error('broken lens');`);
    const node = bench.node({ source });
    const { port } = await node.running();
    const client = await bench.client(port);
    for (let call = 0; call < 10; call += 1) await client.process(frameOf());
    await node.until(({ circuit }) => circuit === 'open');
    expect(await client.process(frameOf())).toMatchObject({
      ok: false,
      message: expect.stringContaining('not called after 10 failures in a row'),
    });
    const status = await node.until(({ calls }) => calls === 11);
    expect(status).toMatchObject({ errors: 11, refused: 1, state: 'running' });
  });
});

describe('a new version', () => {
  test('takes over while calls are under way: each is answered, by the old or the new one', async () => {
    const slow = (version: string) => `await new Promise((resolve) => setTimeout(resolve, 40)); ${say(`"${version}"`)}`;
    const { source, file } = folderNode(slow('old'));
    const node = bench.node({ source });
    const { port, pid } = await node.running();
    const answers: string[] = [];
    const losses: unknown[] = [];
    let isOver = false;
    const sending = [plainClient(port), plainClient(port)].map(async (client) => {
      for (let seq = 2n; !isOver; seq += 1n) {
        const answer = await client.process(seq).catch((error: unknown) => void losses.push(error));
        if (answer !== undefined) answers.push(answer.insightsMeta?.otherMeta['said'] ?? '');
      }
      client.close();
    });
    try {
      writeFileSync(file, nodeTs(slow('new')));
      await node.until(({ reloads }) => reloads === 1);
      await expectGone(pid!);
      const enough = answers.length + 6;
      while (answers.length < enough && losses.length === 0) await after(10);
    } finally {
      isOver = true;
      await Promise.all(sending);
    }
    expect(losses).toEqual([]);
    expect(answers[0]).toBe('old');
    expect(answers.slice(-4)).toEqual(['new', 'new', 'new', 'new']);
    expect(answers.indexOf('new')).toBeGreaterThan(0);
    expect(node.hosted.status).toMatchObject({ reloads: 1, restarts: 0, errors: 0, port });
  });

  test('that does not load changes nothing, and its mistake is told with file and line', async () => {
    const { source, file } = folderNode(say('"old"'));
    const node = bench.node({ source });
    const { port, pid } = await node.running();
    writeFileSync(file, `import { CustomNode } from '@vantage/custom-node';\nthrow new Error('half written');\n`);
    const { rejected } = await node.until((status) => status.rejected !== undefined);
    expect(rejected).toMatchObject({ code: 'HOSTED_NODE_LOAD_FAILED', message: 'half written (node.ts line 2)' });
    const client = await bench.client(port);
    expect(await client.process(frameOf())).toMatchObject({ insights: { other: { said: 'old' } } });
    expect(node.hosted.status).toMatchObject({ state: 'running', pid, reloads: 0 });
    writeFileSync(file, nodeTs(say('"new"')));
    await node.until(({ reloads }) => reloads === 1);
    expect(node.hosted.status.rejected).toBeUndefined();
  });

  test('of settings and of the port takes over as well', async () => {
    const { source } = folderNode(say('this.settings.word'));
    const node = bench.node({ source, settings: { word: 'one' } });
    const { port, pid } = await node.running();
    node.change({ settings: { word: 'two' } });
    await node.until(({ reloads }) => reloads === 1);
    // Until then a new connection may come to the old one, which hangs up.
    await expectGone(pid!);
    const client = await bench.client(port);
    expect(await client.process(frameOf())).toMatchObject({ insights: { other: { said: 'two' } } });
    const other = bench.node({ name: 'other' });
    const { port: free } = await other.running();
    await other.hosted.stop();
    node.change({ port: free });
    const { port: now } = await node.until(({ reloads }) => reloads === 2);
    expect(now).toBe(free);
    expect(await (await bench.client(free)).process(frameOf())).toMatchObject({ ok: true });
  });
});

describe('code that does not start', () => {
  test.each([
    ['a syntax error', 'export class {', /SyntaxError/],
    ['no node', 'export const x = 1;', /has to export one class that extends CustomNode.*it exports x/],
    ['an exit', 'process.exit(0);', /ended \(exit code 0\)/],
    [
      'a constructor that throws',
      `import { CustomNode } from '@vantage/custom-node';
export class Mine extends CustomNode {
  constructor() { super(); throw new Error('no camera'); }
}`,
      /no camera \(node\.ts line 3/,
    ],
  ])('%s is told, and a client is told too', async (_what, code, message) => {
    const folder = bench.folder({ 'node.ts': code });
    const node = bench.node({ source: { kind: 'folder', folder } });
    const { error, port } = await node.until((status) => status.error !== undefined);
    expect(error?.message).toMatch(message);
    const client = await bench.client(port);
    expect(client.status.error?.message).toMatch(/node mine (does not run|is starting)/);
  });

  test('runs as soon as its file is right', async () => {
    const folder = bench.folder({ 'readme.txt': '' });
    const node = bench.node({ source: { kind: 'folder', folder } });
    expect((await node.until((status) => status.error !== undefined)).error).toMatchObject({
      code: 'HOSTED_NODE_ENTRY_MISSING',
    });
    writeFileSync(path.join(folder, 'node.ts'), nodeTs(say('"there"')));
    const { port } = await node.running();
    expect(await (await bench.client(port)).process(frameOf())).toMatchObject({ ok: true });
  });
});

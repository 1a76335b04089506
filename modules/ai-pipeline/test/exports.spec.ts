import { afterEach, describe, expect, test } from '@jest/globals';
import { Health, HttpRoutes, Metrics, startHealthServer } from '@vantage/observability';
import { toInsightsDocument } from '@vantage/skill';
import { InsightStore } from '../src/exports/insight-store.ts';
import { IDS, bench, closeAll, closers, frame, node, play } from './exports-bench.ts';

afterEach(closeAll);

describe('module outputs', () => {
  test('documents go to the output, and say for whom they are', async () => {
    const { run, until, sent } = bench();
    const brokered = { module: 'other', input: 'in' };
    play(
      run([
        node('hub', { kind: 'output', output: 'metrics' }, 2),
        node('edge', { kind: 'output', output: 'localmetrics', brokered }, 10),
        node('own', { kind: 'inference', output: 'inference' }, 10),
      ]),
      10,
    );
    await until('hub', (status) => status.sent === 5);
    expect(sent.filter(({ output }) => output === 'metrics')).toHaveLength(5);
    expect(sent.filter(({ output }) => output === 'localmetrics')).toEqual([
      { output: 'localmetrics', body: JSON.stringify(toInsightsDocument(frame(0), IDS)), properties: brokered },
    ]);
    // The pipeline's own message is the module's to send.
    expect(sent.filter(({ output }) => output === 'inference')).toEqual([]);
  });

  test('a hub that is away fills the queue and stops nothing', async () => {
    const away = { send: () => new Promise<void>(() => undefined) };
    const { run, exporters } = bench({ edge: away });
    play(run([node('hub', { kind: 'output', output: 'metrics' })]), 5);
    expect(exporters.status('p')['hub']).toMatchObject({ sent: 0, queued: 30, dropped: 20 });
    await exporters.stop();
  });

  test('a node that stays the same goes on, one that changes starts anew, one that is gone takes nothing', async () => {
    const { run, until, exporters, sent } = bench();
    const hub = node('hub', { kind: 'output', output: 'metrics' });
    const stages = run([hub, node('other', { kind: 'output', output: 'a' })]);
    play(stages, 0.1);
    await until('hub', (status) => status.sent === 1);
    run([hub, node('other', { kind: 'output', output: 'b' })]);
    play(stages, 0.1);
    await until('hub', (status) => status.sent === 2);
    await until('other', (status) => status.sent === 1);
    expect(sent.map(({ output }) => output).sort()).toEqual(['a', 'b', 'metrics', 'metrics']);
    exporters.apply([{ id: 'p', nodes: [hub], edges: [] }]);
    play(stages, 0.1);
    expect(exporters.status('p')).toEqual({});
  });
});

describe('the insights that are kept', () => {
  test('105 messages: 100 are returned, the newest first; without an id there is nothing (H 26)', async () => {
    const { run, store } = bench();
    const routes = new HttpRoutes();
    routes.set('/insights', (query) => store.answer(query));
    const server = await startHealthServer({ port: 0, metrics: new Metrics(), health: new Health(), routes });
    closers.push(() => server.close());
    play(run([node('hub', { kind: 'output', output: 'metrics' })]), 10.5);
    store.add({ instance: 'instance-abc', device: 'gate' }, '{}');
    store.add({ instance: 'instance-abc', skill: '', device: 'gate' }, '{}');
    const get = async (query: string): Promise<{ status: number; json: unknown }> => {
      const response = await fetch(`http://127.0.0.1:${server.port}/insights${query}`);
      return { status: response.status, json: await response.json() };
    };
    const all = await get('?instance=instance-abc&skill=skill-1&device=gate');
    const ids = (all.json as { frame_id: string }[]).map(({ frame_id }) => frame_id);
    expect([ids.length, ids[0], ids.at(-1)]).toEqual([100, '104', '5']);
    expect(((await get('?instance=instance-abc&skill=skill-1&device=gate&limit=2')).json as unknown[]).length).toBe(2);
    expect((await get('?instance=x&skill=skill-1&device=gate')).json).toEqual([]);
    expect((await get('?instance=instance-abc')).status).toBe(400);
    expect((await get('?instance=a&skill=b&device=c&limit=-1')).status).toBe(400);
    expect((await get('')).json).toEqual([{ ...IDS, count: 100 }]);
  });

  test('every frame that HTTP gets is kept only where no other export chooses', () => {
    const http = node('http', { kind: 'http', url: 'http://127.0.0.1:1/', doubleEncoded: false });
    const [alone, beside] = [bench(), bench()];
    play(alone.run([http]), 0.5);
    play(beside.run([http, node('hub', { kind: 'output', output: 'metrics' }, 2)]), 5);
    expect([alone.store.newest(IDS).length, beside.store.newest(IDS).length]).toEqual([5, 3]);
  });

  test('bounded in number and in bytes, the longest untouched go first', () => {
    const store = new InsightStore();
    for (let at = 0; at < 600; at += 1) store.add({ ...IDS, device: `d${at}` }, `${at}`);
    expect(store.newest({ ...IDS, device: 'd0' })).toEqual([]);
    expect(store.newest({ ...IDS, device: 'd599' })).toEqual(['599']);
    const large = 'x'.repeat(1 << 20);
    for (let at = 0; at < 100; at += 1) store.add({ ...IDS, device: 'large' }, large);
    expect(store.newest({ ...IDS, device: 'large' })).toHaveLength(64);
    expect(store.newest({ ...IDS, device: 'd599' })).toEqual([]);
    store.add(IDS, 'x'.repeat(65 << 20));
    expect(store.newest(IDS)).toEqual([]);
  });
});

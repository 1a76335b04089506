import { afterEach, describe, expect, test } from '@jest/globals';
import { Health } from './health.ts';
import { healthAddress, startHealthServer, type HealthServer } from './health-server.ts';
import { HttpRoutes } from './http-routes.ts';
import { Metrics } from './metrics.ts';

describe('Metrics', () => {
  test('counts, per label set, and prints the Prometheus text', async () => {
    const metrics = new Metrics();
    const frames = metrics.counter({ name: 'vantage_frames_decoded_total', help: 'Frames', labelNames: ['source'] });
    frames.inc({ source: 'a' });
    frames.inc({ source: 'a' }, 4);
    metrics.gauge({ name: 'vantage_queue_frames', help: 'Queue' }).set(3);
    metrics.histogram({ name: 'vantage_infer_seconds', help: 'Time', buckets: [0.1, 1] }).observe(0.5);
    const text = await metrics.text();
    expect(text).toContain('vantage_frames_decoded_total{source="a"} 5');
    expect(text).toContain('vantage_queue_frames 3');
    expect(text).toContain('vantage_infer_seconds_bucket{le="1"} 1');
  });

  test.each(['frames_total', 'vantage_frames', 'vantage_Frames_total', 'vantage_total', 'vantage_a-b_total'])(
    'refuses the name %s',
    (name) => {
      expect(() => new Metrics().counter({ name, help: '' })).toThrow(
        expect.objectContaining({ code: 'METRIC_NAME_INVALID' }),
      );
    },
  );

  test('the same name is the same metric; another kind under it is an error', () => {
    const metrics = new Metrics();
    const options = { name: 'vantage_clips_total', help: 'Clips' };
    expect(metrics.counter(options)).toBe(metrics.counter(options));
    expect(() => metrics.gauge(options)).toThrow(expect.objectContaining({ code: 'METRIC_CONFLICT' }));
  });

  test('bounds its labels', async () => {
    const metrics = new Metrics();
    const gauge = metrics.gauge({ name: 'vantage_lag_seconds', help: 'Lag', labelNames: ['source'], maxSeries: 2 });
    for (const source of ['a', 'b', 'c', 'd']) gauge.set(1, { source });
    gauge.remove({ source: 'a' });
    gauge.set(2, { source: 'e' });
    const series = (await metrics.text()).match(/source="\w+"/g);
    expect(series).toEqual(['source="b"', 'source="other"', 'source="e"']);
  });

  test('watches the event loop, beyond the timer period', async () => {
    const metrics = new Metrics();
    metrics.start();
    metrics.start();
    // The sampler's timer may not have been due when a busy machine let us block: then block once more.
    for (let tries = 0; tries < 20 && metrics.eventLoopDelay().maxMs <= 30; tries += 1) {
      await new Promise((resolve) => setTimeout(resolve, 30));
      const until = performance.now() + 60;
      while (performance.now() < until);
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
    expect(metrics.eventLoopDelay().maxMs).toBeGreaterThan(30);
    expect(await metrics.text()).toContain('vantage_event_loop_delay_seconds{quantile="0.99"}');
    expect(metrics.eventLoopDelay().maxMs).toBe(0);
    metrics.stop();
    metrics.stop();
  });
});

describe('the health server', () => {
  const servers: HealthServer[] = [];
  afterEach(async () => {
    for (const server of servers.splice(0)) await server.close();
  });
  async function start(health = new Health(), port = 0) {
    const metrics = new Metrics();
    metrics.counter({ name: 'vantage_things_total', help: 'Things' }).inc();
    const server = await startHealthServer({ port, metrics, health });
    servers.push(server);
    const get = async (path: string, method = 'GET') => {
      const response = await fetch(`http://127.0.0.1:${server.port}${path}`, { method });
      return { status: response.status, text: await response.text() };
    };
    return { server, get };
  }

  test('serves metrics, liveness and readiness', async () => {
    const health = new Health();
    const { get } = await start(health);
    expect(await get('/metrics')).toMatchObject({
      status: 200,
      text: expect.stringContaining('vantage_things_total 1'),
    });
    expect((await get('/readyz')).status).toBe(503);
    health.started();
    expect((await get('/readyz')).status).toBe(200);
    health.set('edgeHub', false, 'reconnecting');
    const notReady = await get('/readyz?x=1');
    expect(notReady.status).toBe(503);
    expect(JSON.parse(notReady.text)).toEqual({
      live: true,
      ready: false,
      checks: { edgeHub: { ok: false, detail: 'reconnecting' } },
    });
    expect((await get('/healthz')).status).toBe(200);
    health.fatal('out of memory');
    expect((await get('/healthz')).status).toBe(503);
    expect((await get('/elsewhere')).status).toBe(404);
    expect((await get('/metrics', 'POST')).status).toBe(405);
  });

  test("a module's own paths are answered beside, and one that fails fails alone", async () => {
    const routes = new HttpRoutes();
    routes.set('/sum', (query) => ({ status: 200, body: String(Number(query.get('a')) + Number(query.get('b'))) }));
    routes.set('/broken', () => Promise.reject(new Error('broken')));
    routes.set('/metrics', () => ({ status: 418, body: '' }));
    const server = await startHealthServer({ port: 0, metrics: new Metrics(), health: new Health(), routes });
    servers.push(server);
    const get = (path: string): Promise<Response> => fetch(`http://127.0.0.1:${server.port}${path}`);
    const sum = await get('/sum?a=1&b=41');
    expect([sum.status, sum.headers.get('content-type'), await sum.text()]).toEqual([200, 'application/json', '42']);
    expect([(await get('/broken')).status, (await get('/metrics')).status, (await get('/su')).status]).toEqual([
      500, 200, 404,
    ]);
  });

  test('a taken port is no reason not to start', async () => {
    const first = await start();
    const second = await start(new Health(), first.server.port);
    expect(second.server.port).not.toBe(first.server.port);
    expect((await second.get('/metrics')).status).toBe(200);
  });

  test.each([
    [{ VANTAGE_METRICS_PORT: 'off' }, undefined],
    [
      { VANTAGE_METRICS_PORT: '0', VANTAGE_METRICS_HOST: '127.0.0.1' },
      { port: 0, host: '127.0.0.1' },
    ],
    [{ VANTAGE_CONTAINER: '1' }, { port: 9600, host: '0.0.0.0' }],
    [
      { VANTAGE_METRICS_PORT: '9700', VANTAGE_METRICS_HOST: '::1' },
      { port: 9700, host: '::1' },
    ],
  ])('%p listens at %p', (env, address) => {
    expect(healthAddress(env)).toEqual(address);
  });
  test.each(['x', '-1', '70000', '1e3'])('refuses port %s', (port) => {
    expect(() => healthAddress({ VANTAGE_METRICS_PORT: port })).toThrow('VANTAGE_METRICS_PORT');
  });
});

import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import {
  createInsightStage,
  toInsightsDocument,
  type ExportTarget,
  type FrameObject,
  type SourceNode,
} from '@vantage/skill';
import type { ExportStage } from '../src/camera/export/export-stage.ts';
import { IDS, bench, closeAll, closers, frame, node, object, play } from './exports-bench.ts';

afterEach(closeAll);

interface Receiver {
  readonly url: string;
  readonly bodies: string[];
  readonly headers: IncomingHttpHeaders[];
  readonly server: Server;
}

async function receiver(answer: RequestListener = (_, response) => response.end('{}')): Promise<Receiver> {
  const bodies: string[] = [];
  const headers: IncomingHttpHeaders[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      bodies.push(Buffer.concat(chunks).toString());
      headers.push(request.headers);
      answer(request, response);
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  closers.push(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, bodies, headers, server };
}

const toUrl = (url: string, doubleEncoded = false): ExportTarget => ({ kind: 'http', url, doubleEncoded });

describe('HTTP', () => {
  test('every frame is posted, with and without objects, as the document it is', async () => {
    const { url, bodies, headers } = await receiver();
    const { run, until, store } = bench();
    const [stage] = run([node('http', toUrl(`${url}/gate`))]) as [ExportStage];
    stage.process({ insights: frame(0) });
    stage.process({ insights: frame(0.1, []) });
    await until('http', ({ sent }) => sent === 2);
    expect(bodies.map((body): unknown => JSON.parse(body))).toEqual([
      toInsightsDocument(frame(0), IDS),
      toInsightsDocument(frame(0.1, []), IDS),
    ]);
    expect(JSON.parse(bodies[0]!)).toMatchObject({
      ...{ instance_id: 'instance-abc', skill_id: 'skill-1', device_id: 'gate', frame_id: '0' },
      insights_meta: { objects_meta: [{ label: 'car', bbox: { l: 0.1, t: 0.2, w: 0.3, h: 0.4 } }] },
    });
    expect(headers[0]).toMatchObject({ 'content-type': 'application/json' });
    // What has nothing in it is no insight worth keeping.
    expect(store.newest(IDS)).toEqual([bodies[0]]);
  });

  test('compatible with the reference: the document is a string in the body', async () => {
    const { url, bodies } = await receiver();
    const { run, until } = bench();
    play(run([node('http', toUrl(url, true))]), 0.1);
    await until('http', ({ sent }) => sent === 1);
    const once = JSON.parse(bodies[0]!) as unknown;
    expect(typeof once).toBe('string');
    expect(JSON.parse(once as string)).toEqual(toInsightsDocument(frame(0), IDS));
  });

  test('fan-out: what a filter takes away is missing behind it only (H 21)', async () => {
    const [a, b] = [await receiver(), await receiver()];
    const { run, until } = bench();
    const [filtered, plain] = run([node('a', toUrl(a.url)), node('b', toUrl(b.url))]) as [ExportStage, ExportStage];
    const filter = createInsightStage({ kind: 'filter', id: 'f', labels: ['car'], minConfidence: 0.5 }, {
      kind: 'source',
      id: 's',
      sensor: 'gate',
      url: '',
      regions: [],
      pace: 'realtime',
      loop: false,
    } satisfies SourceNode);
    for (let at = 0; at < 5; at += 1) {
      const insights = frame(at, [object('car', 0.5), object('car', 0.49), object('Car'), object('bus')]);
      filtered.process({ insights: filter.process(insights) });
      plain.process({ insights });
    }
    await until('a', ({ sent }) => sent === 5);
    await until('b', ({ sent }) => sent === 5);
    const labels = (bodies: string[]): string[] =>
      bodies.map((body) =>
        (JSON.parse(body) as ReturnType<typeof toInsightsDocument>).insights_meta.objects_meta
          .map(({ label, confidence }) => `${label} ${confidence}`)
          .join(),
      );
    expect(new Set(labels(a.bodies))).toEqual(new Set(['car 0.5']));
    expect(new Set(labels(b.bodies))).toEqual(new Set(['car 0.5,car 0.49,Car 0.9,bus 0.9']));
  });

  test('a server that hangs costs its own documents only: 30 wait, the rest is dropped, and all is told', async () => {
    const hanging = await receiver(() => undefined);
    const good = await receiver();
    const { run, until, exporters, lines, metrics } = bench({ httpDeadlineMs: 500 });
    const nodes = [node('slow', toUrl(hanging.url)), node('good', toUrl(good.url))];
    const [slow, quick] = run(nodes) as [ExportStage, ExportStage];
    play([slow], 4);
    play([quick], 3);
    await until('good', ({ sent }) => sent === 30);
    await until('slow', ({ failed }) => failed >= 1);
    expect(exporters.status('p')['slow']).toMatchObject({ sent: 0, dropped: 10, state: 'failing' });
    expect(lines).toEqual([
      `slow does not reach ${hanging.url}/: it takes documents too slowly, 30 wait`,
      `slow does not reach ${hanging.url}/: no answer within 500 ms`,
    ]);
    expect(await metrics.text()).toContain(
      'vantage_export_documents_total{pipeline="p",node="slow",result="dropped"} 10',
    );
  });

  test('answers other than 2xx count as failed, are told once, and end when it works again', async () => {
    let status = 500;
    const { url } = await receiver((_, response) => response.writeHead(status).end('x'.repeat(100_000)));
    const { run, until, exporters, lines } = bench();
    const stages = run([node('http', toUrl(url))]);
    play(stages, 1);
    await until('http', ({ failed }) => failed === 10);
    expect(exporters.status('p')['http']).toMatchObject({ state: 'failing', lastError: 'it answered 500', sent: 0 });
    status = 204;
    play(stages, 0.1);
    await until('http', ({ sent }) => sent === 1);
    expect(exporters.status('p')['http']).toMatchObject({ state: 'ok', failed: 10 });
    expect(lines).toEqual([`http does not reach ${url}/: it answered 500`]);
  });

  test('redirections are followed with the same message, a few of them, and nowhere strange', async () => {
    const target = await receiver();
    const places: Record<string, string> = {
      '/once': `${target.url}/x`,
      '/loop': '/loop',
      '/file': 'file:///etc/passwd',
      '/script': 'javascript:0',
      '/none': '',
    };
    const entrance = await receiver((request, response) =>
      response.writeHead(request.url === '/other' ? 303 : 307, { location: places[request.url!] ?? '' }).end(),
    );
    const { run, until, exporters } = bench();
    const paths = [...Object.keys(places), '/other'];
    const base = entrance.url.replace('//', '//user:secret@');
    play(run(paths.map((path) => node(path, toUrl(`${base}${path}`)))), 0.1);
    for (const path of paths) await until(path, ({ sent, failed }) => sent + failed === 1);
    expect(JSON.parse(target.bodies[0]!)).toEqual(toInsightsDocument(frame(0), IDS));
    expect(entrance.headers[0]!.authorization).toBe(`Basic ${Buffer.from('user:secret').toString('base64')}`);
    // Another place gets no password that was meant for this one.
    expect(target.headers[0]!.authorization).toBeUndefined();
    const errors = paths.map((path) => exporters.status('p')[path]!.lastError);
    expect(errors).toEqual([
      undefined,
      'it answered with more than 3 redirections',
      'it answered with a redirection that is not followed',
      'it answered with a redirection that is not followed',
      'it answered with more than 3 redirections',
      'it answered 303',
    ]);
  });

  test.each(['ftp://h/x', 'file:///etc/passwd', 'nonsense', '', 'http://', 'http://u:p w@h:99999/'])(
    'the address %j is told, without its password',
    async (url) => {
      const { run, until, exporters, lines } = bench();
      play(run([node('http', toUrl(url))]), 0.2);
      await until('http', ({ failed }) => failed === 2);
      expect(exporters.status('p')['http']!.lastError).toBe('the url is not http:// or https://');
      expect(JSON.stringify([exporters.status('p'), lines])).not.toContain('p w');
    },
  );

  test('nobody listens, and a password that is never shown', async () => {
    const { url, server } = await receiver();
    server.close();
    await once(server, 'close');
    const { run, until, exporters, lines } = bench();
    play(run([node('http', toUrl(`${url.replace('//', '//user:secret@')}/x?token=hidden`))]), 0.1);
    await until('http', ({ failed }) => failed === 1);
    expect(exporters.status('p')['http']!.lastError).toContain('ECONNREFUSED');
    expect(JSON.stringify([exporters.status('p'), lines])).not.toMatch(/secret|hidden/);
  });

  test('a port that fetch refuses is told as such', async () => {
    const { run, until, exporters } = bench();
    play(run([node('http', toUrl('http://127.0.0.1:9/'))]), 0.1);
    await until('http', ({ failed }) => failed === 1);
    expect(exporters.status('p')['http']!.lastError).toBe('port 9 is one that is never posted to');
  });

  test('huge documents go where they fit, and are told where they do not', async () => {
    const { url, bodies } = await receiver();
    const { run, until, exporters, sent } = bench();
    const stages = run([node('http', toUrl(url)), node('hub', { kind: 'output', output: 'metrics' })]);
    const crowd = Array<FrameObject>(10_000).fill(object('person'));
    play(stages, 0.1, crowd);
    await until('http', (status) => status.sent === 1);
    expect((JSON.parse(bodies[0]!) as ReturnType<typeof toInsightsDocument>).insights_meta.objects_meta).toHaveLength(
      10_000,
    );
    expect(exporters.status('p')['hub']).toMatchObject({ sent: 0, dropped: 1 });
    expect(exporters.status('p')['hub']!.lastError).toMatch(/^a document has \d+ bytes; 261120 can be sent$/);
    play(stages, 0.1);
    await until('hub', (status) => status.sent === 1);
    expect(sent).toHaveLength(1);
    const label = 'x'.repeat(9 << 20);
    play(stages, 0.1, [object(label)]);
    expect(exporters.status('p')['http']).toMatchObject({ dropped: 1 });
  });

  test('a stop gives what waits a second, and no more', async () => {
    const hanging = await receiver(() => undefined);
    const { run, exporters } = bench();
    play(run([node('slow', toUrl(hanging.url))]), 1);
    const began = performance.now();
    await exporters.stop();
    expect(performance.now() - began).toBeLessThan(3000);
    expect(exporters.status('p')).toEqual({});
  });
});

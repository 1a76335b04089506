import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { ApiTwinPast, ApiTwinPlan } from '../src/index.ts';
import { Bench, DESIRED, twinOf, type Desired } from './support/bench.ts';
import type { Answer, Browser } from './support/browser.ts';

const CONTROLLER = '/api/twin/controllermodule';
const GATE = { label: 'gate', color: '#00ff00', coordinates: [[0, 0], [1, 0], [1, 1]] }; // prettier-ignore

let bench: Bench;

beforeAll(async () => {
  bench = await Bench.start();
});
afterAll(() => bench?.stop());

test('plan, apply, conflict of two sessions, history, roll back', async () => {
  const [one, two] = [await bench.open(), await bench.open()];
  const before = await twinOf(one);
  const desired = structuredClone(before.desired) as Desired;
  desired.azdaConfiguration.components.deepStream.streams[1]!.uname = 'guest';
  const plan = (await one.change('POST', `${CONTROLLER}/plan`, { desired })).json<ApiTwinPlan>();
  expect(plan.effects.map(({ how, node }) => [how, node])).toEqual([['restart', 'People/camera yard']]);
  expect(plan.etag).toBe(before.etag);

  const applied = await one.change('POST', CONTROLLER, { desired, etag: before.etag });
  expect(applied.status).toBe(200);
  const patch = { azdaConfiguration: { components: { logLevel: 'debug' } } };
  const late = await two.change('POST', CONTROLLER, { patch, etag: before.etag });
  expect([late.status, late.json()['code']]).toEqual([412, 'TWIN_CHANGED']);
  // What was masked is what it was.
  expect(bench.desired.deepStream.streams).toEqual([
    { name: 'street', uname: 'admin', password: 'c4mera-pass', configId: 'People' },
    { name: 'yard', uname: 'guest', password: '', configId: 'People' },
  ]);

  const past = (await two.ask(`${CONTROLLER}/history`)).json<ApiTwinPast[]>();
  expect(past).toHaveLength(1);
  expect(past[0]?.desired).toEqual(before.desired);
  const { etag } = applied.json<{ etag: string }>();
  const back = await two.change('POST', `${CONTROLLER}/rollback`, { steps: 1, etag });
  expect(back.status).toBe(200);
  expect((await twinOf(one)).desired).toEqual(before.desired);
});

test.each([
  ['a mask where nothing was', { azdaConfiguration: { components: { token: '•••' } } }, 'SECRET_UNKNOWN'],
  ['what the module refuses', { azdaConfiguration: { components: { sensors: 5 } } }, 'TWIN_REFUSED'],
  ['no object', [], 'REQUEST_INVALID'],
])('%s', async (_what, patch, code) => {
  const browser = await bench.open();
  const { etag } = await twinOf(browser);
  const answer = await browser.change('POST', CONTROLLER, { patch, etag });
  expect(answer.json()['code']).toBe(code);
  expect((await twinOf(browser)).etag).toBe(etag);
});

test.each(['plan', 'change'])('a password is not sent to a new address: %s, by a patch or as a whole', async (what) => {
  const browser = await bench.open();
  const { desired, etag } = await twinOf(browser);
  const way = what === 'plan' ? `${CONTROLLER}/plan` : CONTROLLER;
  const wanted = structuredClone(desired) as Desired;
  const { sensors } = wanted.azdaConfiguration.components;
  sensors[0]!.endpoint = 'rtsp://203.0.113.66/one';
  const patch = { azdaConfiguration: { components: { sensors } } };
  for (const change of [{ desired: wanted }, { patch }]) {
    const answer = await browser.change('POST', way, { ...change, etag, force: true });
    const streams = 'azdaConfiguration.components.deepStream.streams[0]';
    expect([answer.status, answer.json()]).toMatchObject([
      422,
      {
        code: 'SECRET_UNKNOWN',
        message: expect.stringContaining('type it again'),
        issues: [{ path: `${streams}.uname` }, { path: `${streams}.password`, severity: 'error' }],
      },
    ]);
    expect(answer.text).not.toContain('c4mera-pass');
  }
  expect(bench.desired.sensors[0]!.endpoint).toBe('rtsp://10.0.0.7/one');
});

test('regions of one sensor; the others and their secrets stay', async () => {
  const browser = await bench.open();
  const { etag } = await twinOf(browser);
  const put = (list: unknown, tag = etag): ReturnType<Browser['change']> =>
    browser.change('PUT', '/api/regions/street', { regions: list, etag: tag });
  const withCorners = (coordinates: number[][]): Promise<Answer> => put([{ ...GATE, coordinates }]);
  const outside = await withCorners([[0, 0], [2, 0], [1, 1]]); // prettier-ignore
  expect(outside.json()).toMatchObject({ code: 'REGION_INVALID', issues: [{ path: 'regions[0].coordinates[1]' }] });
  expect((await withCorners([[0, 0], [1, 0]])).status).toBe(422); // prettier-ignore
  expect((await put([GATE], 'old')).status).toBe(412);
  expect((await put([GATE])).status).toBe(200);
  const { sensors } = DESIRED.azdaConfiguration.components;
  expect(bench.desired.sensors).toEqual([{ ...sensors[0], regionsOfInterest: [GATE] }, sensors[1]]);
  const nobody = await browser.change('PUT', '/api/regions/nobody', { regions: [GATE], etag });
  expect(nobody.json()['code']).toBe('TWIN_CHANGED');
});

import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { BlobServiceClient } from '@azure/storage-blob';
import type { ApiCamera, ApiTwinChanged, ApiTwinPlan } from '../src/index.ts';
import { startAzurite, type Azurite } from './support/azurite.ts';
import { Bench, SECRETS, twinOf, type Desired } from './support/bench.ts';
import type { Browser } from './support/browser.ts';

const CONTROLLER = '/api/twin/controllermodule';
const SENSORS = 'azdaConfiguration.components.sensors';
/** Sixty regions around a coast: more than the 32 KB of a hub. */
const REGIONS = Array.from({ length: 60 }, (_, region) => ({
  label: `region ${region}`,
  color: '#00ff00',
  coordinates: Array.from({ length: 60 }, (_point, at) => [0.5, 0.4].map((r, axis) => Number((0.5 + r * Math.cos((at * Math.PI) / 30 - (axis * Math.PI) / 2)).toFixed(4)))),
})); // prettier-ignore

let bench: Bench;
let azurite: Azurite;
let browser: Browser;

beforeAll(async () => {
  bench = await Bench.start();
  azurite = await startAzurite(path.join(bench.folder, 'azurite'));
  browser = await bench.open(await bench.startPlayer({ PLAYER_STORAGE: azurite.access }));
});
afterAll(async () => {
  await azurite?.stop();
  await bench?.stop();
});

const withRegions = (desired: Desired): Desired => {
  const wanted = structuredClone(desired);
  Object.assign(wanted.azdaConfiguration.components.sensors[0]!, { regionsOfInterest: REGIONS });
  return wanted;
};
const regionsIn = async (who: Browser): Promise<number[]> => {
  const cameras = (await who.ask('/api/cameras')).json<ApiCamera[]>();
  return cameras.map(({ regions }) => regions.length);
};

test.each([
  ['without a storage', {}],
  ['with one that cannot sign', { PLAYER_STORAGE: 'https://account.blob.core.windows.net/?sv=2021&sig=x' }],
])('%s the plan says what is missing, and nothing is changed', async (_, settings) => {
  const one = await bench.open(await bench.startPlayer(settings));
  const { desired, etag } = await twinOf(one);
  const wanted = withRegions(desired as Desired);
  const plan = (await one.change('POST', `${CONTROLLER}/plan`, { desired: wanted })).json<ApiTwinPlan>();
  expect(plan.large).toEqual({
    values: [{ path: SENSORS, bytes: expect.any(Number) }],
    problem: expect.stringMatching(/pass the 32 KB.*PLAYER_STORAGE/),
  });
  const answer = await one.change('PUT', '/api/regions/street', { regions: REGIONS, etag });
  expect([answer.status, answer.json()['code']]).toEqual([413, 'BLOB_STORE_UNKNOWN']);
  expect((await twinOf(one)).etag).toBe(etag);
});

test('regions, the form and a roll back: what is too large lies in blob storage, and the page sees the twin whole', async () => {
  const before = await twinOf(browser);
  const wanted = withRegions(before.desired as Desired);
  const plan = (await browser.change('POST', `${CONTROLLER}/plan`, { desired: wanted })).json<ApiTwinPlan>();
  expect(plan.large).toEqual({ values: [{ path: SENSORS, bytes: expect.any(Number) }] });

  const saved = await browser.change('PUT', '/api/regions/street', { regions: REGIONS, etag: before.etag });
  const { etag, large } = saved.json<ApiTwinChanged>();
  expect(large).toEqual(plan.large?.values);
  // What the hub has, and what it does not.
  expect(bench.desired.sensors).toEqual({
    vantageBlob: expect.stringMatching(/^http:.*\/twins\/[0-9a-f]{64}\.json\?.*si=vantage/),
    sha256: expect.any(String),
    bytes: large![0]!.bytes,
  });
  expect((await twinOf(browser)).desired).toEqual(wanted);
  expect(await regionsIn(browser)).toEqual([60, 0]);

  // Secrets that lie in the blob are masked, and stay what they are.
  const shown = (await browser.ask(CONTROLLER)).text;
  for (const secret of [...SECRETS, 'sig=']) expect(shown.replaceAll('sig=•••', '')).not.toContain(secret);
  const patch = { azdaConfiguration: { components: { logLevel: 'debug' } } };
  const small = (await browser.change('POST', CONTROLLER, { patch, etag })).json<ApiTwinChanged>();
  expect(small.large).toBeUndefined();
  expect(bench.desired.sensors).toHaveProperty('bytes', large![0]!.bytes);

  const one = [{ ...REGIONS[0]!, label: 'gate' }];
  await browser.change('PUT', '/api/regions/street', { regions: one, etag: small.etag });
  expect(bench.desired.sensors[1]).toHaveProperty('endpoint', 'rtsp://root:url-pass@10.0.0.8/two');
  const now = await twinOf(browser);
  await browser.change('POST', `${CONTROLLER}/rollback`, { steps: 1, etag: now.etag });
  expect(bench.desired.sensors).toHaveProperty('vantageBlob');
  expect(await regionsIn(browser)).toEqual([60, 0]);
});

test('an address that works no more is read with the key of the account; without it, cameras are shown as far as they can be', async () => {
  const twins = BlobServiceClient.fromConnectionString(azurite.access).getContainerClient('twins');
  await twins.setAccessPolicy(undefined, []);
  const stranger = await bench.open(await bench.startPlayer());
  const answer = await stranger.ask(CONTROLLER);
  expect([answer.status, answer.json()['code']]).toEqual([502, 'TWIN_BLOB_UNREADABLE']);
  expect((await stranger.ask('/api/cameras')).json<ApiCamera[]>().map(({ sensor }) => sensor)).toEqual(['street']);

  const anew = await bench.open(await bench.startPlayer({ VANTAGE_BLOB_CONNECTION: azurite.access }));
  const { desired, etag } = await twinOf(anew);
  expect((desired as Desired).azdaConfiguration.components.sensors[0]).toHaveProperty('regionsOfInterest', REGIONS);
  const patch = { azdaConfiguration: { components: { logLevel: 'info' } } };
  expect((await anew.change('POST', CONTROLLER, { patch, etag })).status).toBe(200);
  expect((await stranger.ask(CONTROLLER)).status).toBe(200);
});

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { spawn, type ChildProcess } from 'node:child_process';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import type { TwinObject } from '@vantage/contracts';
import { desiredOf, findHub, type Hub } from '@vantage/hub';
import { BlobServiceClient, type ContainerClient } from '@azure/storage-blob';
import { deployToDevice, rollBack } from '../src/deploy/device.ts';
import { deployToFleet, removeFleet } from '../src/deploy/fleet.ts';
import { changeTwins, rollBackTwin } from '../src/twin/change.ts';
import { wholeTwin } from '../src/twin/whole-twin.ts';
import { ended, startOwner } from './fixtures/cli.ts';
import { manifestText } from './fixtures/manifest.ts';

jest.setTimeout(120_000);

const BIG = { skills: [{ id: 'door', text: 'x'.repeat(40_000) }], volume: 5 };

let work: string;
let state: string;
let owner: ChildProcess;
let storage: ChildProcess;
let hub: Hub;
let connection: string;
/** What the command printed. */
let shown: string[] = [];
let said: string[] = [];

beforeAll(async () => {
  work = mkdtempSync(path.join(tmpdir(), 'vantage-twin-blobs-'));
  state = path.join(work, 'state');
  process.env['VANTAGE_HOME'] = path.join(work, 'home');
  delete process.env['VANTAGE_BLOB_CONNECTION'];
  jest.spyOn(process.stdout, 'write').mockImplementation((text) => shown.push(String(text)) > 0);
  jest.spyOn(process.stderr, 'write').mockImplementation((text) => said.push(String(text)) > 0);
  storage = startAzurite();
  [owner, connection] = await Promise.all([startOwner(state), connectionOf(storage)]);
  hub = await findHub({ state });
});
afterAll(async () => {
  jest.restoreAllMocks();
  delete process.env['VANTAGE_HOME'];
  delete process.env['VANTAGE_BLOB_CONNECTION'];
  storage.kill('SIGTERM');
  owner.kill('SIGTERM');
  await Promise.all([ended(storage), ended(owner)]);
  rmSync(work, { recursive: true, force: true });
});

const stored = async (): Promise<TwinObject> => desiredOf(await hub.moduleTwin('teller'));
const desired = async (): Promise<TwinObject> => wholeTwin(await stored(), { state });
const change = (wanted: (now: TwinObject) => TwinObject, options: { dryRun?: boolean } = {}): Promise<number> => {
  [shown, said] = [[], []];
  return changeTwins('teller', wanted, { state, ...options });
};
const container = (): ContainerClient => BlobServiceClient.fromConnectionString(connection).getContainerClient('twins');

describe('a twin larger than the 32 KB of a hub', () => {
  test('is refused without a storage account, and changes nothing', async () => {
    await expect(change(() => BIG)).rejects.toMatchObject({ code: 'BLOB_STORE_UNKNOWN' });
    process.env['VANTAGE_BLOB_CONNECTION'] = 'AccountName=me;AccountKey=secret-key';
    const wrong = change(() => BIG);
    await expect(wrong).rejects.toThrow(/^that is no connection string of a storage account/);
    await expect(wrong).rejects.not.toThrow('secret-key');
    const endless = { list: 'x'.repeat(5e6) };
    await expect(change(() => endless)).rejects.toMatchObject({ code: 'TWIN_TOO_LARGE' });
    expect(await desired()).toEqual({});
  });

  test('keeps its large value in a blob; changes see it as ever, and rollback brings it back', async () => {
    process.env['VANTAGE_BLOB_CONNECTION'] = connection;
    expect(await change(() => BIG, { dryRun: true })).toBe(0);
    expect(shown.join('')).toMatch(/^skills \(40\d\d\d bytes\) goes into blob storage\nnot applied/m);
    expect([await container().exists(), await stored()]).toEqual([false, {}]);
    expect(await change(() => BIG)).toBe(0);
    expect(shown.join('')).toMatch(/^skills \(40\d\d\d bytes\) is kept in blob storage\napplied/m);
    const first = (await stored())['skills'];
    expect(first).toEqual({
      vantageBlob: expect.stringMatching(/^http:.*\/twins\/[0-9a-f]{64}\.json\?.*si=vantage/),
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
      bytes: JSON.stringify(BIG.skills).length,
    });
    expect(await desired()).toEqual(BIG);

    await change((now) => ({ ...now, volume: 6 }));
    expect([said, shown.join(''), (await stored())['skills']]).toEqual([
      [],
      expect.not.stringContaining('blob storage'),
      first,
    ]);
    await change((now) => ({ ...now, skills: [...(now['skills'] as object[]), { id: 'gate' }] }));
    expect((await desired())['skills']).toHaveLength(2);
    expect(await rollBackTwin('teller', 1, { state })).toBe(0);
    expect(await desired()).toEqual({ ...BIG, volume: 6 });
    expect((await stored())['skills']).toMatchObject({ sha256: (first as { sha256: string }).sha256 });
    await change(() => ({ small: true }));
    expect(await stored()).toEqual({ small: true });
  });

  test('addresses end together, a year after the last change; then the account still reads them, and renews them', async () => {
    await change(() => BIG);
    const { signedIdentifiers } = await container().getAccessPolicy();
    expect(signedIdentifiers).toMatchObject([{ id: 'vantage', accessPolicy: { permissions: 'r' } }]);
    const days = (signedIdentifiers[0]!.accessPolicy.expiresOn!.getTime() - Date.now()) / 86_400_000;
    expect(days).toBeCloseTo(365, 1);

    await container().setAccessPolicy(undefined, [
      { id: 'vantage', accessPolicy: { permissions: 'r', expiresOn: new Date(Date.now() - 60_000) } },
      { id: 'of-another', accessPolicy: { permissions: 'r', expiresOn: new Date(Date.now() + 86_400_000) } },
    ]);
    await expect(wholeTwin(await stored(), { state: 'nowhere' })).resolves.toEqual(BIG);
    delete process.env['VANTAGE_BLOB_CONNECTION'];
    await expect(desired()).rejects.toMatchObject({ code: 'TWIN_BLOB_UNREADABLE' });
    process.env['VANTAGE_BLOB_CONNECTION'] = connection;
    expect(await change(() => BIG)).toBe(0);
    expect(shown.join('')).toMatch(/is kept in blob storage\nthe twin says that already\n$/);
    delete process.env['VANTAGE_BLOB_CONNECTION'];
    expect(await desired()).toEqual(BIG);
    const ids = (await container().getAccessPolicy()).signedIdentifiers.map(({ id }) => id);
    expect(ids).toEqual(['of-another', 'vantage']);
  });
});

describe('a deployment with such a twin', () => {
  const asWritten = { check: true, style: 'iotedgedev' } as const;
  const fileOf = (twin: TwinObject): string => {
    const file = path.join(work, 'manifest.json');
    writeFileSync(
      file,
      manifestText((_modules, _routes, content) => (content.teller['properties.desired'] = twin)),
    );
    return file;
  };
  const deploy = async (twin: TwinObject, options: { dryRun?: boolean; json?: boolean } = {}): Promise<number> => {
    shown = [];
    return deployToDevice(fileOf(twin), { ...asWritten, state, ...options });
  };
  const OTHER = { ...BIG, skills: [{ id: 'gate', text: 'y'.repeat(35_000) }] };

  test('--dry-run says what would leave it; deployed, its value is a blob; rollback brings the value before back', async () => {
    await expect(deploy(OTHER)).rejects.toMatchObject({ code: 'BLOB_STORE_UNKNOWN' });
    process.env['VANTAGE_BLOB_CONNECTION'] = connection;
    expect(await deploy(OTHER, { dryRun: true })).toBe(0);
    expect(shown.join('')).toMatch(/^twin teller: skills \(35\d\d\d bytes\) goes into blob storage\n$/m);
    expect(await desired()).toEqual(BIG);
    await deploy(OTHER, { json: true });
    expect(JSON.parse(shown.join(''))).toMatchObject({
      applied: true,
      spilled: [{ module: 'teller', path: 'skills', bytes: JSON.stringify(OTHER.skills).length }],
    });
    expect((await stored())['skills']).toMatchObject({ vantageBlob: expect.stringContaining('/twins/') });
    expect(await desired()).toEqual(OTHER);
    await deploy(OTHER, { json: true, dryRun: true });
    expect(JSON.parse(shown.join(''))).toEqual({ changes: [], applied: false, spilled: [] });
    expect(await rollBack(1, { state })).toBe(0);
    expect(await desired()).toEqual(BIG);
  });

  test('an address that is of no use any more stops no deployment', async () => {
    await changeTwins('teller', (now) => ({ ...now, volume: 7 }), { state });
    const { skills } = (await stored()) as { skills: { sha256: string } };
    await container().getBlobClient(`${skills.sha256}.json`).delete();
    said = [];
    expect(await deploy(OTHER)).toBe(0);
    expect(said.join('')).toMatch(/^note: teller: the blob http:[^?]* of the twin cannot be read: status 404\n$/);
    expect(await desired()).toEqual(OTHER);
  });

  test('a fleet gets it the same way', async () => {
    shown = [];
    const fleet = { id: 'all', targetCondition: '*', priority: 1, label: {}, metric: {} };
    await deployToFleet(fileOf(OTHER), { ...asWritten, ...fleet, state, json: true });
    const configuration = await hub.configuration('all');
    const twin = configuration?.content.modulesContent['teller']?.['properties.desired'];
    expect(twin).toMatchObject({ skills: { bytes: JSON.stringify(OTHER.skills).length }, volume: 5 });
    shown = [];
    await deployToFleet(fileOf(OTHER), { ...asWritten, ...fleet, state, json: true, label: { site: 'a' } });
    expect(JSON.parse(shown.join(''))).toMatchObject({ changes: [], spilled: [] });
    await removeFleet('all', { state });
  });
});

/** A storage account in a process of its own, in memory. */
function startAzurite(): ChildProcess {
  const main = createRequire(import.meta.url).resolve('azurite/dist/src/blob/main.js');
  const args = ['--blobPort', '0', '--skipApiVersionCheck', '--inMemoryPersistence', '--disableTelemetry'];
  return spawn(process.execPath, [main, ...args], {
    env: { ...process.env, NODE_OPTIONS: '' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

/** Of the account that every Azurite has. */
async function connectionOf({ stdout }: ChildProcess): Promise<string> {
  let port: string | undefined;
  for await (const line of createInterface({ input: stdout! })) {
    port = /http:\/\/127\.0\.0\.1:(\d+)/.exec(line)?.[1];
    if (port !== undefined && port !== '0') break;
  }
  stdout!.resume();
  const key = 'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==';
  return `DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey=${key};BlobEndpoint=http://127.0.0.1:${port}/devstoreaccount1;`;
}

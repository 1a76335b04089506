import { mkdtempSync, rmSync } from 'node:fs';
import { spawn, type ChildProcess } from 'node:child_process';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import type { TwinObject } from '@vantage/contracts';
import { desiredOf, findHub, type Hub } from '@vantage/hub';
import { changeTwins, rollBackTwin } from '../src/twin/change.ts';
import { wholeTwin } from '../src/twin/whole-twin.ts';
import { ended, startOwner } from './fixtures/cli.ts';

jest.setTimeout(120_000);

const BIG = { skills: [{ id: 'door', text: 'x'.repeat(40_000) }], volume: 5 };

let work: string;
let state: string;
let owner: ChildProcess;
let storage: ChildProcess;
let hub: Hub;
/** What the command said on stderr. */
let said: string[] = [];

beforeAll(async () => {
  work = mkdtempSync(path.join(tmpdir(), 'vantage-twin-blobs-'));
  state = path.join(work, 'state');
  process.env['VANTAGE_HOME'] = path.join(work, 'home');
  delete process.env['VANTAGE_BLOB_CONNECTION'];
  jest.spyOn(process.stdout, 'write').mockReturnValue(true);
  jest.spyOn(process.stderr, 'write').mockImplementation((text) => said.push(String(text)) > 0);
  storage = startAzurite();
  owner = await startOwner(state);
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
const desired = async (): Promise<TwinObject> => wholeTwin(await stored());
const change = (wanted: (now: TwinObject) => TwinObject): Promise<number> => {
  said = [];
  return changeTwins('teller', wanted, { state });
};

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
    process.env['VANTAGE_BLOB_CONNECTION'] = await connectionOf(storage);
    expect(await change(() => BIG)).toBe(0);
    expect(said.join('')).toMatch(/^skills \(40\d\d\d bytes\) is kept in blob storage\n$/);
    const first = (await stored())['skills'];
    expect(first).toEqual({
      vantageBlob: expect.stringMatching(/^http:.*\/twins\/[0-9a-f]{64}\.json\?.*sp=r/),
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
      bytes: JSON.stringify(BIG.skills).length,
    });
    expect(await desired()).toEqual(BIG);

    await change((now) => ({ ...now, volume: 6 }));
    expect([said, (await stored())['skills']]).toEqual([[], first]);
    await change((now) => ({ ...now, skills: [...(now['skills'] as object[]), { id: 'gate' }] }));
    expect((await desired())['skills']).toHaveLength(2);
    expect(await rollBackTwin('teller', 1, { state })).toBe(0);
    expect(await desired()).toEqual({ ...BIG, volume: 6 });
    expect((await stored())['skills']).toMatchObject({ sha256: (first as { sha256: string }).sha256 });
    await change(() => ({ small: true }));
    expect(await stored()).toEqual({ small: true });
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
  const key = 'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==';
  return `DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey=${key};BlobEndpoint=http://127.0.0.1:${port}/devstoreaccount1;`;
}

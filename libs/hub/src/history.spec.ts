import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { twinHistory } from './history.ts';
import { Hub, type RegistryCalls } from './hub.ts';

const home = mkdtempSync(path.join(os.tmpdir(), 'vantage-history-'));
afterAll(() => rmSync(home, { recursive: true, force: true }));

/** A hub that is never called. */
function hub(key: string): Hub {
  return new Hub({} as RegistryCalls, 'local', 'vantage-edge', () => ({}) as never, key);
}

test('two local runtimes do not share what their twins were', async () => {
  const env = { VANTAGE_HOME: home };
  await twinHistory(hub('local-a'), 'ai-pipeline', env).add({ outputVideoLength: 10 });
  const { value } = await twinHistory(hub('local-a'), 'ai-pipeline', env).read(1);
  expect(value).toEqual({ outputVideoLength: 10 });
  await expect(twinHistory(hub('local-b'), 'ai-pipeline', env).read(1)).rejects.toMatchObject({
    code: 'HISTORY_EMPTY',
  });
});

import { expect, test } from '@jest/globals';
import { probeRuntimes } from '../src/probe/probe-runtimes.ts';
import { sidecarPython } from './sidecar-python.ts';

test('what models run on here is tried, not guessed', async () => {
  const { inProcess, sidecar } = await probeRuntimes();
  expect(inProcess.version).toMatch(/^\d+\.\d+/);
  expect(inProcess.providers.map(({ provider }) => provider)).toEqual(['tensorrt', 'cuda', 'cpu']);
  expect(inProcess.providers.at(-1)).toEqual({ provider: 'cpu', works: true });
  for (const { works, reason } of inProcess.providers) expect(works || (reason ?? '').length > 10).toBe(true);
  if (sidecarPython() === undefined) {
    expect(sidecar).toEqual({ missing: expect.stringMatching(/python/) });
  } else {
    expect(sidecar).toMatchObject({ version: expect.stringMatching(/^\d+\.\d+/), python: expect.any(String) });
    expect('providers' in sidecar && sidecar.providers.at(-1)).toEqual({ provider: 'cpu', works: true });
  }
});

import { expect, test } from '@jest/globals';
import type { Twin } from '@vantage/hub';
import { platformFor, reportedPlatform } from './platform.ts';

const report = (architecture: unknown): unknown => ({ runtime: { platform: { os: 'linux', architecture } } });
const hub = {
  moduleTwin: (): Promise<Twin> =>
    Promise.resolve({
      deviceId: 'd',
      etag: '1',
      properties: { desired: {}, reported: report('aarch64') as Record<string, unknown> },
    }),
};
const findHub = (): Promise<typeof hub> => Promise.resolve(hub);

test.each([
  ['x86_64', 'amd64'],
  ['amd64', 'amd64'],
  ['aarch64', 'arm64v8'],
  ['arm64', 'arm64v8'],
  ['armv7l', 'arm32v7'],
  ['riscv64', undefined],
  [5, undefined],
])('a device that reports %s is of the platform %s', (architecture, platform) => {
  expect(reportedPlatform(report(architecture))).toBe(platform);
});

test('a device that never was online says nothing', () => {
  expect(reportedPlatform({})).toBeUndefined();
  expect(reportedPlatform({ runtime: { platform: null } })).toBeUndefined();
});

test('the option wins over DEFAULT_PLATFORM, and that over what the device reports', async () => {
  expect(await platformFor(findHub, {}, undefined)).toBe('arm64v8');
  expect(await platformFor(findHub, { DEFAULT_PLATFORM: 'amd64' }, undefined)).toBe('amd64');
  expect(await platformFor(findHub, { DEFAULT_PLATFORM: 'amd64' }, 'amd64.dgpu')).toBe('amd64.dgpu');
});

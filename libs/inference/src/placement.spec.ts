import { expect, test } from '@jest/globals';
import { detectVariant, placementOf } from './placement.ts';

test.each([
  [{}, [], 'cpu', /no NVIDIA device$/],
  [{}, ['/dev/nvidia0'], 'dgpu', /there is \/dev\/nvidia0/],
  [{}, ['/etc/nv_tegra_release', '/dev/nvidia0'], 'jetson', /nv_tegra_release/],
  [{ VANTAGE_VARIANT: 'CPU' }, ['/dev/nvidia0'], 'cpu', /VANTAGE_VARIANT=CPU/],
  [{ VANTAGE_VARIANT: 'tpu' }, ['/dev/nvidia0'], 'dgpu', /tpu is none of cpu, dgpu, jetson/],
] as const)('%j with %j is a %s', (env, files: readonly string[], variant, reason) => {
  const detected = detectVariant(env, (file) => files.includes(file));
  expect(detected.variant).toBe(variant);
  expect(detected.reason).toMatch(reason);
});

test('a sidecar where options matter that the binding does not read', () => {
  const tensorRt = { int8CalibrationFile: undefined, workspaceSizeMb: undefined, enableDla: false, dlaCore: 0 };
  expect(placementOf('cpu', { networkMode: 'fp16', tensorRt }).backend).toBe('worker');
  expect(placementOf('dgpu', { networkMode: 'fp32', tensorRt })).toEqual({
    backend: 'worker',
    providers: ['cuda', 'cpu'],
  });
  expect(placementOf('dgpu', { networkMode: 'fp16', tensorRt }).backend).toBe('sidecar');
  expect(placementOf('dgpu', { networkMode: 'fp32', tensorRt: { ...tensorRt, enableDla: true } }).backend).toBe(
    'sidecar',
  );
  expect(placementOf('jetson', { networkMode: 'fp32', tensorRt }).providers[0]).toBe('tensorrt');
});

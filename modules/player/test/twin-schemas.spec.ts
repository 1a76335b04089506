import { expect, test } from '@jest/globals';
import { MODULES } from '@vantage/contracts';
import { twinSchema } from '../src/hub/twin-schemas.ts';

test.each([
  [MODULES.controller, 'azdaConfiguration'],
  [MODULES.aiPipeline, 'outputVideoLength'],
  [MODULES.businessLogic, 'startRecording'],
  [MODULES.videoUploader, 'bandwidthKBps'],
])('%s has a form, with %s in it', (module, key) => {
  expect(twinSchema(module)).toMatchObject({ type: 'object', properties: { [key]: expect.anything() } });
});

test('one without settings has an empty form', () => {
  expect(twinSchema(MODULES.rtspsim)).toMatchObject({ type: 'object', properties: {} });
});

test('modules of others, and no module, have none', () => {
  expect(['SimulatedTemperatureSensor', 'constructor', ''].map(twinSchema)).toEqual([null, null, null]);
});

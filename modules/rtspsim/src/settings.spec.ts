import { describe, expect, test } from '@jest/globals';
import { readSettings } from './settings.ts';

describe('settings', () => {
  test('have the defaults of the contract', () => {
    expect(readSettings({})).toEqual({ port: 554, host: '0.0.0.0', folder: '/media' });
    expect(readSettings({ RTSPSIM_PORT: '0', RTSPSIM_MEDIA: '/videos' })).toMatchObject({ port: 0, folder: '/videos' });
  });
  test.each(['abc', '-1', '70000', ''])('refuse port %j', (port) => {
    expect(() => readSettings({ RTSPSIM_PORT: port })).toThrow('RTSPSIM_PORT');
  });
});

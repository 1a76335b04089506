import { describe, expect, test } from '@jest/globals';
import { resolveHost, resolveVolume, rewriteEndpoint } from './places.ts';

describe('resolveVolume', () => {
  const env = {
    VANTAGE_VOLUMES: JSON.stringify({ '/recordings/': '/tmp/s/rec', '/recordings/hot': '/fast', '/models': '/tmp/m' }),
  };
  test.each([
    ['/recordings', '/tmp/s/rec'],
    ['/recordings/a/b.mp4', '/tmp/s/rec/a/b.mp4'],
    ['/recordings/hot/x', '/fast/x'],
    ['/recordings/hotter', '/tmp/s/rec/hotter'],
    ['/recordings2/x', '/recordings2/x'],
    ['/models/../etc/passwd', '/models/../etc/passwd'],
    ['/elsewhere', '/elsewhere'],
  ])('%s -> %s', (path, expected) => {
    expect(resolveVolume(path, env)).toBe(expected);
  });
  test('is itself without the map', () => expect(resolveVolume('/recordings', {})).toBe('/recordings'));
  test.each(['{', '[]', '{"a":1}'])('refuses %s', (text) => {
    expect(() => resolveVolume('/a', { VANTAGE_VOLUMES: text })).toThrow(
      expect.objectContaining({ code: 'ENV_INVALID' }),
    );
  });
});

describe('rewriteEndpoint', () => {
  const env = {
    VANTAGE_HOSTS: JSON.stringify({ rtspsim: '127.0.0.1:8554', 'Store:8080': '127.0.0.1:9', plain: '10.1.1.1' }),
  };
  test.each([
    ['rtsp://rtspsim:554/media/x', 'rtsp://127.0.0.1:8554/media/x'],
    ['rtsp://rtspsim/media/x', 'rtsp://127.0.0.1:8554/media/x'],
    ['RTSP://RtspSim:554/a?b#c', 'RTSP://127.0.0.1:8554/a?b#c'],
    ['rtsp://u:p@ss@rtspsim/x', 'rtsp://u:p@ss@127.0.0.1:8554/x'],
    ['http://store:8080/m.zip', 'http://127.0.0.1:9/m.zip'],
    ['http://store/m.zip', 'http://store/m.zip'],
    ['http://plain/m', 'http://10.1.1.1:80/m'],
    ['rtsp://10.0.0.5:554/x', 'rtsp://10.0.0.5:554/x'],
    ['rtsp://[::1]:554/x', 'rtsp://[::1]:554/x'],
    ['file:///data/x.mp4', 'file:///data/x.mp4'],
    ['/dev/video0', '/dev/video0'],
    ['', ''],
  ])('%s -> %s', (url, expected) => {
    expect(rewriteEndpoint(url, env)).toBe(expected);
  });
  test('resolveHost keeps what it does not know', () =>
    expect(resolveHost('h', 1, env)).toEqual({ host: 'h', port: 1 }));
  test('refuses a target that is none', () => {
    expect(() => resolveHost('a', 1, { VANTAGE_HOSTS: '{"a":"b:c:d"}' })).toThrow('VANTAGE_HOSTS');
  });
});

import { describe, expect, test } from '@jest/globals';
import { parseEndpoint } from './endpoint.ts';

describe('endpoints', () => {
  test.each([
    ['h:6677', 'dns:h:6677', false],
    ['  h:6677 ', 'dns:h:6677', false],
    ['h:6677/GRPC', 'dns:h:6677', false],
    ['h:6677/', 'dns:h:6677', false],
    ['http://h:6677', 'dns:h:6677', false],
    ['HTTP://h:6677/GRPC', 'dns:h:6677', false],
    ['https://h:6677', 'dns:h:6677', true],
    ['grpc://h:1', 'dns:h:1', false],
    ['grpcs://h:65535', 'dns:h:65535', true],
    ['dns:///h:6677', 'dns:h:6677', false],
    ['dns:h:6677', 'dns:h:6677', false],
    ['dns:6677', 'dns:dns:6677', false],
    ['ipv4:1.2.3.4:6677', 'dns:1.2.3.4:6677', false],
    ['[::1]:6677', 'dns:[::1]:6677', false],
    ['ipv6:[::1]:6677', 'dns:[::1]:6677', false],
    ['my-node_1.poss.svc:6677', 'dns:my-node_1.poss.svc:6677', false],
    ['unix:/run/node.sock', 'unix:/run/node.sock', false],
    ['unix:///run/node.sock', 'unix:/run/node.sock', false],
    ['unix:node.sock', 'unix:node.sock', false],
  ])('%s', (text, target, tls) => {
    expect(parseEndpoint(text)).toMatchObject({ target, tls });
  });

  test('keeps the route for those who want to tell of it', () => {
    expect(parseEndpoint('h:6677/GRPC').route).toBe('/GRPC');
  });

  test.each([
    ['h', 'has no port'],
    ['', 'is empty'],
    ['h:0', 'port 0'],
    ['h:70000', 'port 70000'],
    ['h:', 'is not host:port'],
    [':6677', 'is not host:port'],
    ['h:port', 'is not host:port'],
    ['h:-1', 'is not host:port'],
    ['h:6677:1', 'is not host:port'],
    ['::1:6677', 'is not host:port'],
    ['http://', 'has no port'],
    ['http://h', 'has no port'],
    ['ftp://h:6677', 'unknown scheme "ftp"'],
    ['http://user:secret@h:6677', 'holds credentials'],
    ['h :6677', 'blank or a control character'],
    ['h\n:6677', 'blank or a control character'],
    ['unix:', 'names no socket'],
    [`${'h'.repeat(3000)}:1`, 'longer than'],
  ])('%j is refused', (text, reason) => {
    expect(() => parseEndpoint(text)).toThrow(
      expect.objectContaining({
        code: 'CUSTOM_NODE_ENDPOINT_INVALID',
        message: expect.stringContaining(reason) as unknown as string,
      }),
    );
  });

  test('a password in it is not repeated', () => {
    expect(() => parseEndpoint('http://user:secret@h:6677')).toThrow(expect.not.stringContaining('secret'));
  });
});

import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { isSecretKey, redact, redactDeep } from './redact.ts';

describe('redact', () => {
  test.each([
    ['', ''],
    ['nothing here', 'nothing here'],
    ['rtsp://user:pass@host', 'rtsp://***@host'],
    ['rtsp://user:pass@host:554/live?x=1', 'rtsp://***@host:554/live?x=1'],
    ['rtsp://admin:p@ss@10.0.0.1/a', 'rtsp://***@10.0.0.1/a'],
    ['rtsp://admin:a/b#c@10.0.0.1/a', 'rtsp://***@10.0.0.1/a'],
    ['rtsp://user@host/a', 'rtsp://***@host/a'],
    ['rtsp://host:554/media/x@2x.mp4', 'rtsp://host:554/media/x@2x.mp4'],
    ['rtsp://a:b@h/1,rtsp://c:d@h/2', 'rtsp://***@h/1,rtsp://***@h/2'],
    ['see http://host/a and mail me@x.y', 'see http://host/a and mail me@x.y'],
    ['https://x.blob/c/b.zip?sv=1&sig=ab%2Bc%3D&se=9', 'https://x.blob/c/b.zip?sv=1&sig=***&se=9'],
    ['SharedAccessSignature sr=h&sig=abc&se=1', 'SharedAccessSignature sr=h&sig=***&se=1'],
    [
      'HostName=h;SharedAccessKeyName=owner;SharedAccessKey=abc=',
      'HostName=h;SharedAccessKeyName=owner;SharedAccessKey=***',
    ],
    ['AccountName=n;AccountKey=abc==;EndpointSuffix=x', 'AccountName=n;AccountKey=***;EndpointSuffix=x'],
    ['{"uname":"joe","password":"a\\"b","x":1}', '{"uname":"***","password":"***","x":1}'],
    ['password=abc&x=1', 'password=***&x=1'],
    ['Authorization: Bearer abcdefghijk', 'Authorization: Bearer ***'],
    ['Unexpected token \'<\', "<html>" is not valid JSON', 'Unexpected token \'<\', "<html>" is not valid JSON'],
    ['rtspsrc user-id=joe user-pw=p&s,s;1 ! fakesink', 'rtspsrc user-id=*** user-pw=*** ! fakesink'],
    [`x proxy-pw = "a b" user-pw='c d' ! y`, `x proxy-pw = "***" user-pw='***' ! y`],
    [
      String.raw`{"gst":"rtspsrc user-pw=\"a b\" user-id=j\ o ! x"}`,
      String.raw`{"gst":"rtspsrc user-pw=\"***\" user-id=*** ! x"}`,
    ],
    ['cut off: rtspsrc user-pw="a b', 'cut off: rtspsrc user-pw="***"'],
    ['{"gst":"rtspsrc user-pw=abc"}', '{"gst":"rtspsrc user-pw=***"}'],
    ['Basic authentication', 'Basic authentication'],
  ])('%s', (text, expected) => {
    expect(redact(text)).toBe(expected);
    expect(redact(expected)).toBe(expected);
  });

  test('no password of printable letters survives in a camera URL', () => {
    const letter = fc.constantFrom(...'abcXYZ019!$&()*+,;=:@/%-_~');
    const password = fc.string({ unit: letter, minLength: 6 }).filter((text) => !/^\d{1,5}[/?#]/.test(text));
    fc.assert(
      fc.property(password, (secret) => {
        expect(redact(`open rtsp://admin:${secret}@10.0.0.9:554/live failed`)).not.toContain(`:${secret}@`);
      }),
    );
  });
});

test('redactDeep masks by name and by content and keeps the rest', () => {
  const input = {
    cam: { endpoint: 'rtsp://a:b@h', uname: 'joe', password: '', passwordSet: true, n: 1, list: ['sig=abc'] },
  };
  expect(redactDeep(input)).toEqual({
    cam: { endpoint: 'rtsp://***@h', uname: '***', password: '', passwordSet: true, n: 1, list: ['sig=***'] },
  });
  expect(input.cam.uname).toBe('joe');
});

test.each(['password', 'Password', 'uname', 'clientSecret', 'sasToken', 'primaryKey'])('%s is a secret key', (key) => {
  expect(isSecretKey(key)).toBe(true);
});
test.each(['name', 'tokenCount', 'key', 'uniqueId'])('%s is none', (key) => {
  expect(isSecretKey(key)).toBe(false);
});

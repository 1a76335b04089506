import { mkdir, mkdtemp, readFile, readdir, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { silentLogger } from '@vantage/observability';
import { ModelStore, type ModelStoreLimits } from '../src/index.ts';
import { cutFile, makeZip, rawZip, writeRawZip, type RawEntry } from './zips.ts';

let folder: string;
const at = (...parts: string[]): string => path.join(folder, ...parts);
const storeWith = (limits: Partial<ModelStoreLimits> = {}): ModelStore =>
  new ModelStore({ root: at('cache'), logger: silentLogger, limits });

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'vantage-store-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const MODEL = {
  'people/config.txt': '[property]\n',
  'people/sub/model.onnx': 'weights',
  'people/labels.txt': 'person\n',
};

describe('a zip on disk', () => {
  test('with one top folder: the folder is taken off, paths work with and without it', async () => {
    const store = storeWith();
    const found = await store.fetch({ url: await makeZip(at('a.zip'), MODEL) });
    expect(found).toMatchObject({
      contents: ['config.txt', 'labels.txt', 'sub/model.onnx'],
      topFolder: 'people',
      fromCache: false,
    });
    expect(await readFile(at('cache', 'packages', found.sha256!, 'content', 'sub', 'model.onnx'), 'utf8')).toBe(
      'weights',
    );
    const plain = store.resolve(found, 'sub/model.onnx');
    expect(plain).toBe(path.join(found.folder, 'sub', 'model.onnx'));
    for (const other of [
      'people/sub/model.onnx',
      'people\\sub\\model.onnx',
      './sub/model.onnx',
      ' sub/../sub/model.onnx ',
    ]) {
      expect(store.resolve(found, other)).toBe(plain);
    }
  });

  test('with files in its root, or several folders, is taken as it is', async () => {
    const store = storeWith();
    const root = await store.fetch({ url: await makeZip(at('a.zip'), { 'config.txt': 'a', 'x/model.onnx': 'b' }) });
    expect(root).toMatchObject({ contents: ['config.txt', 'x/model.onnx'], topFolder: undefined });
    const two = await store.fetch({ url: await makeZip(at('b.zip'), { 'x/a.txt': 'a', 'y/b.txt': 'b' }) });
    expect(two.contents).toEqual(['x/a.txt', 'y/b.txt']);
  });

  test('leaves out what file managers leave behind, before it looks for the top folder', async () => {
    const leftovers = {
      '__MACOSX/people/._config.txt': 'x',
      '.DS_Store': 'x',
      'people/.DS_Store': 'x',
      'people/._labels.txt': 'x',
      'people/Thumbs.db': 'x',
    };
    const found = await storeWith().fetch({ url: await makeZip(at('a.zip'), { ...leftovers, ...MODEL }) });
    expect(found).toMatchObject({ contents: ['config.txt', 'labels.txt', 'sub/model.onnx'], topFolder: 'people' });
  });

  test('with backslashes between parts unpacks like any other', async () => {
    const zip = await writeRawZip(at('a.zip'), [
      { name: 'm\\sub\\a.txt', data: Buffer.from('A') },
      { name: 'm\\b.txt' },
    ]);
    expect((await storeWith().fetch({ url: zip })).contents).toEqual(['b.txt', 'sub/a.txt']);
  });

  test('comes from the cache the second time, also as a file URL and for another store, and under another name', async () => {
    const zip = await makeZip(at('a.zip'), MODEL);
    const first = await storeWith().fetch({ url: zip });
    const again = await storeWith().fetch({ url: pathToFileURL(zip).href, sha256: first.sha256!.toUpperCase() });
    expect(again).toEqual({ ...first, fromCache: true });
  });

  test('is unpacked anew when a file in the cache was damaged', async () => {
    const zip = await makeZip(at('a.zip'), MODEL);
    const first = await storeWith().fetch({ url: zip });
    await truncate(path.join(first.folder, 'labels.txt'), 0);
    const again = await storeWith().fetch({ url: zip });
    expect(again.fromCache).toBe(false);
    expect(await readFile(path.join(again.folder, 'labels.txt'), 'utf8')).toBe('person\n');
  });

  test('two fetches at once unpack once', async () => {
    const store = storeWith();
    const zip = await makeZip(at('a.zip'), MODEL);
    const both = await Promise.all([store.fetch({ url: zip }), store.fetch({ url: zip })]);
    expect(both.map(({ fromCache }) => fromCache)).toEqual([false, true]);
  });

  test('the cache keeps the newest packages and those of this process', async () => {
    for (const name of ['a', 'b', 'c'])
      await storeWith({ cachedPackages: 2 }).fetch({ url: await makeZip(at(`${name}.zip`), { 'f.txt': name }) });
    expect(await readdir(at('cache', 'packages'))).toHaveLength(2);
    const store = storeWith({ cachedPackages: 1 });
    for (const name of ['d', 'e']) await store.fetch({ url: await makeZip(at(`${name}.zip`), { 'f.txt': name }) });
    expect(await readdir(at('cache', 'packages'))).toHaveLength(2);
    expect(await readdir(at('cache', 'tmp'))).toEqual([]);
  });

  test('stops when told to', async () => {
    const zip = await makeZip(at('a.zip'), { 'a.txt': 'a', 'b.txt': 'b' });
    const stop = new AbortController();
    const fetching = storeWith().fetch({
      url: zip,
      signal: stop.signal,
      onProgress: () => stop.abort(new Error('enough')),
    });
    await expect(fetching).rejects.toThrow(/enough|abort/);
    expect(await readdir(at('cache', 'tmp'))).toEqual([]);
    await expect(readdir(at('cache', 'packages'))).rejects.toThrow('ENOENT');
  });
});

describe('a folder', () => {
  test('is used in place, and is not cut down', async () => {
    await mkdir(at('model', 'only'), { recursive: true });
    await writeFile(at('model', 'only', 'c.txt'), 'x');
    const store = storeWith();
    const found = await store.fetch({ url: at('model') });
    expect(found).toMatchObject({ folder: at('model'), contents: ['only/c.txt'], sha256: undefined });
    expect(store.resolve(found, 'model/only/c.txt')).toBe(at('model', 'only', 'c.txt'));
    await expect(store.fetch({ url: at('model'), sha256: 'a'.repeat(64) })).rejects.toMatchObject({
      code: 'MODEL_PACKAGE_SHA256',
    });
  });
});

describe('what a twin names within a package', () => {
  test.each([
    ['', 'MODEL_FILE_MISSING', /no file is named/],
    ['nope.txt', 'MODEL_FILE_MISSING', /holds no "nope.txt" It holds config.txt, labels.txt, sub\/model.onnx$/],
    ['Config.TXT', 'MODEL_FILE_MISSING', /did you mean "config.txt"\?/],
    ['model.onnx', 'MODEL_FILE_MISSING', /did you mean "sub\/model.onnx"\?/],
    ['../../../etc/passwd', 'MODEL_FILE_OUTSIDE', /leads out/],
    ['sub\\..\\..\\x', 'MODEL_FILE_OUTSIDE', /leads out/],
    ['/nowhere/at/all.txt', 'MODEL_FILE_MISSING', /absolute/],
  ])('%p: %s', async (named, code, text) => {
    const store = storeWith();
    const found = await store.fetch({ url: await makeZip(at('a.zip'), MODEL) });
    expect(() => store.resolve(found, named)).toThrow(
      expect.objectContaining({ code, message: expect.stringMatching(text) }),
    );
  });

  test('the list in an error is bounded', async () => {
    const store = storeWith();
    const many = Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`file-${i}-${'x'.repeat(150)}.bin`, '']));
    const found = await store.fetch({ url: await makeZip(at('a.zip'), many) });
    let message = '';
    try {
      store.resolve(found, 'nope');
    } catch (error) {
      message = (error as Error).message;
    }
    expect(message).toMatch(/and 260 more$/);
    expect(message.length).toBeLessThan(5000);
  });
});

const file = (name: string, more: Partial<RawEntry> = {}): RawEntry => ({ name, data: Buffer.from('x'), ...more });

describe('a hostile or broken zip is refused, and nothing of it stays', () => {
  test.each<[string, RawEntry[], string, RegExp]>([
    ['a path upwards', [file('ok.txt'), file('../evil.txt')], 'MODEL_PACKAGE_UNSAFE', /leads upwards/],
    ['a path upwards in the middle', [file('a/../../evil.txt')], 'MODEL_PACKAGE_UNSAFE', /leads upwards/],
    ['a path upwards with backslashes', [file('..\\..\\evil.txt')], 'MODEL_PACKAGE_UNSAFE', /leads upwards/],
    ['an absolute path', [file('/etc/cron.d/evil')], 'MODEL_PACKAGE_UNSAFE', /absolute/],
    ['a share', [file('\\\\host\\share\\evil')], 'MODEL_PACKAGE_UNSAFE', /absolute/],
    ['a drive', [file('C:\\evil.txt')], 'MODEL_PACKAGE_UNSAFE', /drive/],
    ['a zero byte', [file('a\0.txt')], 'MODEL_PACKAGE_UNSAFE', /control/],
    ['an empty name', [file('')], 'MODEL_PACKAGE_UNSAFE', /no name/],
    [
      'a link',
      [file('link', { unixMode: 0o120777, data: Buffer.from('/etc') }), file('link/evil')],
      'MODEL_PACKAGE_UNSAFE',
      /symbolic link/,
    ],
    ['a device', [file('dev', { unixMode: 0o020666 })], 'MODEL_PACKAGE_UNSAFE', /no plain file/],
    ['one name twice', [file('m/a.txt'), file('m/./a.txt')], 'MODEL_PACKAGE_UNSAFE', /twice/],
    [
      'a file that is a folder too',
      [file('m/a'), file('m/a/b'), file('c')],
      'MODEL_PACKAGE_UNSAFE',
      /both a file and a folder/,
    ],
    ['an encrypted entry', [file('a.txt', { flags: 1 })], 'MODEL_PACKAGE_ENCRYPTED', /password/],
    ['an unknown compression', [file('a.txt', { method: 9 })], 'MODEL_PACKAGE_UNSUPPORTED', /Deflate64/],
    ['a wrong checksum', [file('ok.txt'), file('a.txt', { crc: 1 })], 'MODEL_PACKAGE_CORRUPT', /checksum/],
    [
      'a size too small',
      [file('a.txt', { data: Buffer.alloc(5000, 7), claimedBytes: 10 })],
      'MODEL_PACKAGE_CORRUPT',
      /a\.txt/,
    ],
    ['a size too large', [file('a.txt', { claimedBytes: 10 })], 'MODEL_PACKAGE_CORRUPT', /a\.txt/],
    ['a single bomb', [file('zeros', { data: Buffer.alloc(4 << 20) })], 'MODEL_PACKAGE_BOMB', /200 to 1/],
    [
      'many small bombs',
      Array.from({ length: 40 }, (_, i) => file(`${i}`, { data: Buffer.alloc(1 << 19) })),
      'MODEL_PACKAGE_BOMB',
      /200 times/,
    ],
    [
      'entries that share bytes',
      Array.from({ length: 64 }, (_, i) => file('a', { name: `${i}`, data: pattern(4000), sharesBytes: i > 0 })),
      'MODEL_PACKAGE_BOMB',
      /overlap/,
    ],
    ['deep folders', [file(`${'d/'.repeat(40)}a`)], 'MODEL_PACKAGE_BOMB', /deeper/],
    [
      'only folders and leftovers',
      [file('a/', { data: Buffer.alloc(0) }), file('__MACOSX/x')],
      'MODEL_PACKAGE_EMPTY',
      /without any file/,
    ],
  ])('%s', async (_, entries, code, text) => {
    const fetching = storeWith().fetch({ url: await writeRawZip(at('bad.zip'), entries) });
    await expect(fetching).rejects.toMatchObject({ code, message: expect.stringMatching(text) });
    expect(await readdir(folder)).toEqual(expect.arrayContaining(['bad.zip']));
    expect((await readdir(folder)).filter((name) => !['bad.zip', 'cache'].includes(name))).toEqual([]);
    await expect(readdir(at('cache', 'packages'))).rejects.toThrow('ENOENT');
    expect(await readdir(at('cache', 'tmp')).catch(() => [])).toEqual([]);
  });

  test.each<[string, Partial<ModelStoreLimits>, string]>([
    ['entries', { entries: 2 }, 'MODEL_PACKAGE_BOMB'],
    ['unpacked bytes', { unpackedBytes: 10 }, 'MODEL_PACKAGE_BOMB'],
    ['packed bytes', { downloadBytes: 100 }, 'MODEL_PACKAGE_TOO_LARGE'],
  ])('over the limit of %s', async (_, limits, code) => {
    await expect(storeWith(limits).fetch({ url: await makeZip(at('a.zip'), MODEL) })).rejects.toMatchObject({ code });
  });

  test.each<[string, (zip: string) => Promise<string>, string, RegExp]>([
    ['cut short', (zip) => cutFile(zip, at('b.zip'), 200), 'MODEL_PACKAGE_TRUNCATED', /ends too early/],
    ['empty file', (zip) => cutFile(zip, at('b.zip'), 0), 'MODEL_PACKAGE_TRUNCATED', /0 bytes/],
    ['empty zip', () => write('b.zip', rawZip([])), 'MODEL_PACKAGE_EMPTY', /without any file/],
    ['web page', () => write('b.zip', '\n <!DOCTYPE html><html>sign in</html>'), 'MODEL_PACKAGE_HTML', /web page/],
    [
      'LFS pointer',
      () => write('b.zip', 'version https://git-lfs.github.com/spec/v1\n'),
      'MODEL_PACKAGE_NOT_ZIP',
      /LFS/,
    ],
    ['gzip', () => write('b.zip', Buffer.from([0x1f, 0x8b, 8, 0])), 'MODEL_PACKAGE_NOT_ZIP', /gzip/],
    ['noise', () => write('b.zip', pattern(2000)), 'MODEL_PACKAGE_NOT_ZIP', /something else/],
    ['missing', () => Promise.resolve(at('nope.zip')), 'MODEL_PACKAGE_MISSING', /does not exist/],
    [
      'other scheme',
      () => Promise.resolve('ftp://u:secret@host/a.zip'),
      'MODEL_ADDRESS_INVALID',
      /^ftp:\/\/\*\*\*@host/,
    ],
    ['nothing', () => Promise.resolve('  '), 'MODEL_ADDRESS_INVALID', /empty/],
  ])('%s', async (_, make, code, text) => {
    const url = await make(await makeZip(at('a.zip'), MODEL));
    await expect(storeWith().fetch({ url })).rejects.toMatchObject({ code, message: expect.stringMatching(text) });
  });

  test.each([
    ['1'.repeat(64), /not the 1111/],
    ['xyz', /64 hexadecimal/],
  ])('with the wrong sha256 %s', async (sha256, text) => {
    const fetching = storeWith().fetch({ url: await makeZip(at('a.zip'), MODEL), sha256 });
    await expect(fetching).rejects.toMatchObject({
      code: 'MODEL_PACKAGE_SHA256',
      message: expect.stringMatching(text),
    });
  });
});

test('a link in a folder is listed but not followed', async () => {
  await mkdir(at('model'));
  await symlink('/', at('model', 'root'));
  await writeFile(at('model', 'a.txt'), '');
  expect((await storeWith().fetch({ url: at('model') })).contents).toEqual(['a.txt', 'root']);
});

async function write(name: string, content: string | Buffer): Promise<string> {
  await writeFile(at(name), content);
  return at(name);
}

/** Bytes that neither compress nor look like anything. */
function pattern(length: number): Buffer {
  let state = 1;
  return Buffer.from(Array.from({ length }, () => (state = (state * 48271) % 2147483647) & 0xff));
}

import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseInferConfig } from '@vantage/deepstream';
import { CATALOG, findModel, readCatalog } from './catalog.ts';

const main = path.resolve(import.meta.dirname, '../../main.ts');
const assets = path.resolve(import.meta.dirname, '../../../../..', process.env['VANTAGE_ASSETS'] ?? '../shared/assets');

interface Run {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function vantage(...args: string[]): Promise<Run> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', main, ...args],
      { env: { ...process.env, NO_COLOR: '1' } },
      (error, stdout, stderr) => resolve({ code: error ? Number(error.code) : 0, stdout, stderr }),
    );
  });
}

describe('models/catalog.json', () => {
  test('holds at least eight models with address, digest, licence and a configuration that is used whole', async () => {
    const { models } = await readCatalog();
    expect(models.length).toBeGreaterThanOrEqual(8);
    for (const { name, files, after } of models) {
      const config = path.join(path.dirname(CATALOG), name, 'config_infer.txt');
      const { spec, problems, properties } = parseInferConfig(readFileSync(config, 'utf8'), name);
      expect([name, problems]).toEqual([name, []]);
      expect(properties.filter(({ use }) => use !== 'used')).toEqual([]);
      expect(files.map((file) => file.path)).toContain(spec.onnxFile);
      // An address that may show something else tomorrow is of no use: each names a commit.
      for (const { url } of files) expect(url).toMatch(/^https:\/\/.*\/[0-9a-f]{40}\//);
      const labels = spec.labelFile ?? 'labels.txt';
      const own = existsSync(path.join(path.dirname(CATALOG), name, labels));
      if (spec.labelFile !== undefined) expect(own || files.some((file) => file.path === labels)).toBe(true);
      if (after !== undefined) expect(models.some((model) => model.name === after)).toBe(true);
    }
  });

  (existsSync(assets) ? test : test.skip)('names the same files as the test assets', async () => {
    const { models } = await readCatalog();
    const seen = models
      .flatMap(({ files }) => files)
      .filter(({ path: name }) => existsSync(path.join(assets, 'models', name)))
      .map(({ path: name, sha256, bytes }) => {
        const content = readFileSync(path.join(assets, 'models', name));
        expect([name, sha256, bytes]).toEqual([
          name,
          createHash('sha256').update(content).digest('hex'),
          content.length,
        ]);
        return name;
      });
    expect(new Set(seen).size).toBe(10);
  });
});

describe('vantage model', () => {
  const model = Buffer.from(Array.from({ length: 200_000 }, (_, i) => (i * i * 31) >> 5));
  let folder: string;
  let server: Server;
  let asked: IncomingMessage[];
  let answer: (request: IncomingMessage, response: ServerResponse) => void;
  let catalog: string;

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'vantage-catalog-'));
    server = createServer((request, response) => {
      asked.push(request);
      answer(request, response);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    catalog = path.join(folder, 'catalog.json');
    const { port } = server.address() as AddressInfo;
    const file = {
      path: 'm.onnx',
      url: `http://127.0.0.1:${port}/m.onnx`,
      sha256: createHash('sha256').update(model).digest('hex'),
      bytes: model.length,
    };
    const entry = { name: 'thing', title: 'things', task: 'detection', role: 'primary', licence: 'MIT', files: [file] };
    await writeFile(catalog, JSON.stringify({ version: 1, models: [entry] }));
    await mkdir(path.join(folder, 'thing'));
    await writeFile(path.join(folder, 'thing', 'config_infer.txt'), '[property]\nonnx-file=m.onnx\n');
  });
  afterAll(async () => {
    server.closeAllConnections();
    server.close();
    await rm(folder, { recursive: true, force: true });
  });
  beforeEach(() => {
    asked = [];
    answer = (request, response) => {
      const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
      response
        .writeHead(from > 0 ? 206 : 200, {
          'content-length': model.length - from,
          ...(from > 0 ? { 'content-range': `bytes ${from}-${model.length - 1}/${model.length}` } : {}),
        })
        .end(model.subarray(from));
    };
  });

  test('list: a table, and JSON with addresses', async () => {
    const [plain, json] = await Promise.all([vantage('model', 'list'), vantage('model', 'list', '--json')]);
    expect(plain.stdout).toMatch(/^yolox-nano +detection +3\.5 MiB +Apache-2\.0 /m);
    expect(JSON.parse(json.stdout)[0]).toMatchObject({ name: 'yolox-nano', files: [{ path: 'yolox_nano.onnx' }, {}] });
  });

  test('get: goes on with what was stopped, verifies, adds the configuration; the second time nothing is asked', async () => {
    const out = path.join(folder, 'out');
    await mkdir(out);
    await writeFile(path.join(out, 'm.onnx.part'), model.subarray(0, 150_000));
    const first = await vantage('model', 'get', 'thing', '--catalog', catalog, '--out', out, '--json');
    expect(first.stderr).toBe('thing/m.onnx is there, sha256 verified\n');
    expect(JSON.parse(first.stdout)).toEqual({
      name: 'thing',
      folder: out,
      files: ['config_infer.txt', 'm.onnx'],
      licence: 'MIT',
      kept: [],
    });
    expect(asked.map(({ headers }) => headers.range)).toEqual(['bytes=150000-']);
    expect((await readFile(path.join(out, 'm.onnx'))).equals(model)).toBe(true);

    await writeFile(path.join(out, 'config_infer.txt'), '[property]\nonnx-file=m.onnx\ninterval=2\n');
    const second = await vantage('model', 'get', 'THING', '--catalog', catalog, '--out', out);
    expect(second.stderr).toBe('thing/m.onnx is there already\n');
    expect(second.stdout).toContain('config_infer.txt was changed by somebody and stays as it is');
    expect(asked).toHaveLength(1);
  });

  test('get: another file under the address is refused, and nothing stays', async () => {
    answer = (_, response) =>
      void response.writeHead(200, { 'content-length': model.length }).end(Buffer.alloc(model.length));
    const out = path.join(folder, 'other');
    const { code, stderr } = await vantage('model', 'get', 'thing', '--catalog', catalog, '--out', out);
    expect([code, existsSync(path.join(out, 'm.onnx'))]).toEqual([1, false]);
    expect(stderr).toMatch(/m\.onnx has the sha256 [0-9a-f]{64}, not the [0-9a-f]{64} .*\(MODEL_PACKAGE_SHA256\)/);
  });

  test('get: a server that says no, and a folder that is a file', async () => {
    answer = (_, response) => void response.writeHead(404).end();
    const gone = await vantage('model', 'get', 'thing', '--catalog', catalog, '--out', path.join(folder, 'gone'));
    expect(gone.stderr).toMatch(/the server said 404.*\(MODEL_DOWNLOAD_REFUSED\)/);
    const inFile = await vantage('model', 'get', 'thing', '--catalog', catalog, '--out', catalog);
    expect(inFile.stderr).toMatch(/catalog\.json cannot be made.*\(MODEL_OUTPUT_FAILED\)/);
  });

  test('names are found, or the nearest is said', async () => {
    const read = await readCatalog();
    expect(findModel(read, 'Mnist').name).toBe('mnist');
    expect(() => findModel(read, 'yolox')).toThrow(/did you mean "yolox-nano"\?/);
    expect(() => findModel(read, 'fastestdat')).toThrow(/did you mean "fastestdet"\?/);
  });

  test.each([
    ['{', /is not JSON/],
    ['{"version":2,"models":[]}', /version 1/],
    ['{"version":1,"models":[{"name":"../x"}]}', /models\[0\]\.name/],
    [file({ path: '../m.onnx' }), /models\[0\]\.files\[0\]\.path/],
    [file({ url: 'file:///etc/passwd' }), /files\[0\]\.url/],
    [file({ sha256: 'ab' }), /files\[0\]\.sha256/],
    [file({ bytes: 1e12 }), /files\[0\]\.bytes/],
  ])('a catalog %j is refused with its place', async (text, message) => {
    const broken = path.join(folder, 'broken.json');
    await writeFile(broken, text);
    await expect(readCatalog(broken)).rejects.toMatchObject({
      code: 'CATALOG_INVALID',
      message: expect.stringMatching(message),
    });
  });
});

function file(wrong: object): string {
  const good = { path: 'm.onnx', url: 'https://host/m.onnx', sha256: 'a'.repeat(64), bytes: 1 };
  const entry = { name: 'x', title: 'x', task: 'x', role: 'primary', licence: 'MIT', files: [{ ...good, ...wrong }] };
  return JSON.stringify({ version: 1, models: [entry] });
}

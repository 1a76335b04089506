import { copyFileSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { ASSETS, describeWithAssets } from '../../../e2e/support/assets.ts';
import { makeZip, rawZip } from '../../../libs/model-store/test/zips.ts';
import { Bench, PEOPLE_FILE, SECRET, config, source } from './bad-input-bench.ts';

const PEOPLE = pathToFileURL(PEOPLE_FILE).href;
const UNSAFE = rawZip([{ name: '../../etc/outside.txt', data: Buffer.from('x') }]);

interface Served {
  readonly type: string;
  readonly body: string | Buffer;
}

/** What the web server gives at `/<name>.zip`. */
const SERVED: Readonly<Record<string, Served>> = {
  'page.zip': { type: 'text/html', body: '<!doctype html><title>Sign in</title>' },
  'disguised.zip': { type: 'application/zip', body: '<html><title>Sign in</title></html>' },
  'unsafe.zip': { type: 'application/zip', body: UNSAFE },
  'empty.zip': { type: 'application/zip', body: rawZip([]) },
};

describeWithAssets('a bad model leaves everything else running', () => {
  const bench = new Bench();
  let web: Server;
  let webPort: number;

  beforeAll(async () => {
    await bench.start();
    copyFileSync(path.join(ASSETS, 'models/mnist.onnx'), path.join(bench.folder, 'mnist.onnx'));
    copyFileSync(path.join(ASSETS, 'negative/lfs-pointer.onnx'), path.join(bench.folder, 'pointer.onnx'));
    bench.write('page.onnx', '<!DOCTYPE html><html><body>Not found</body></html>');
    bench.write('short.txt', 'background\n');
    bench.write('short-labels.txt', config('onnx-file=faces.onnx', 'labelfile-path=short.txt'));
    bench.write('no-labels.txt', config('onnx-file=faces.onnx', 'labelfile-path=nowhere.txt'));
    bench.write('no-model.txt', config());
    bench.write('engine.txt', config('model-engine-file=persons.onnx_b1_gpu0_fp16.engine'));
    for (const model of ['gone', 'pointer', 'page', 'mnist']) {
      bench.write(`${model}.txt`, config(`onnx-file=${model}.onnx`));
    }
    const zip = readFileSync(await makeZip(path.join(bench.folder, 'good.zip'), { 'good.txt': config() }));
    const served = {
      ...SERVED,
      'good.zip': { type: 'application/zip', body: zip },
      'cut.zip': { type: 'application/zip', body: zip.subarray(0, zip.length - 30) },
    };
    const answers = new Map<string, Served>(Object.entries(served));
    web = createServer((request, response) => {
      const answer = answers.get(path.basename(new URL(request.url ?? '/', 'http://localhost').pathname));
      if (!answer) return response.writeHead(404).end('no');
      return response.writeHead(200, { 'content-type': answer.type }).end(answer.body);
    });
    await new Promise<void>((done) => web.listen(0, '127.0.0.1', done));
    webPort = (web.address() as AddressInfo).port;
  });

  afterEach(() => bench.reset());

  afterAll(async () => {
    await bench.stop();
    web.closeAllConnections();
    web.close();
  });

  test.each([
    [
      'a missing configuration',
      'nowhere.txt',
      'MODEL_CONFIG_MISSING',
      /nowhere\.txt does not exist; check primaryModelConfigPath/,
    ],
    [
      'a configuration without a model',
      'no-model.txt',
      'MODEL_CONFIG_INVALID',
      /^no-model\.txt cannot be used: .* set onnx-file/,
    ],
    [
      'a TensorRT engine alone',
      'engine.txt',
      'MODEL_CONFIG_INVALID',
      /TensorRT engine \('persons.*\.engine'\): .*ONNX/,
    ],
    ['a missing model', 'gone.txt', 'MODEL_FILE_MISSING', /gone\.onnx does not exist/],
    [
      'a Git LFS pointer as model',
      'pointer.txt',
      'MODEL_FILE_NOT_ONNX',
      /pointer\.onnx is a Git LFS pointer .*git lfs pull/,
    ],
    ['a web page as model', 'page.txt', 'MODEL_FILE_NOT_ONNX', /page\.onnx is a web page/],
    ['a model that is no detector', 'mnist.txt', 'PARSER_DOES_NOT_FIT', /^mnist\.txt: .*Plus214_Output_0 \[1, 10\]/],
    [
      'a missing label file',
      'no-labels.txt',
      'LABEL_FILE_MISSING',
      /^no-labels\.txt names the label file .*nowhere\.txt/,
    ],
  ])('%s', async (_what, configFile, code, message) => {
    await bench.addBad({ configFile });
    const problem = await bench.problem();
    expect(problem).toMatchObject({ code, message: expect.stringMatching(message) });
    expect(bench.engine.status().find(({ id }) => id === 'bad')).toMatchObject({ state: 'failed', cameras: [] });
    await bench.goodGoesOn();
  });

  test('a label file shorter than the classes: the others are called class-N', async () => {
    await bench.addBad({ configFile: 'short-labels.txt' }, source(PEOPLE, { pace: 'asFastAsPossible' }));
    const labels = await bench.until(() => {
      const found = (bench.frames.get('bad') ?? []).flatMap(({ detections }) => detections);
      return found.length > 0 && new Set(found.map(({ label }) => label));
    });
    expect([...labels]).toEqual(['class-1']);
    expect(bench.problems).toEqual([]);
    expect(bench.warnings.join('')).toMatch(/short\.txt has 1 labels for 2 classes/);
  });

  test.each([
    ['404', 'absent.zip', 'MODEL_DOWNLOAD_REFUSED', /absent\.zip.*404.*check the address/],
    ['a web page', 'page.zip', 'MODEL_PACKAGE_HTML', /page\.zip.* web page .*needs no sign-in/],
    ['a web page that calls itself a zip', 'disguised.zip', 'MODEL_PACKAGE_HTML', /disguised\.zip.* web page/],
    ['a zip that ends too early', 'cut.zip', 'MODEL_PACKAGE_TRUNCATED', /cut\.zip.* ends too early/],
    ['a zip that writes outside', 'unsafe.zip', 'MODEL_PACKAGE_UNSAFE', /unsafe\.zip.*outside\.txt.* is refused/],
    ['an empty zip', 'empty.zip', 'MODEL_PACKAGE_EMPTY', /empty\.zip.* without any file/],
    ['a zip without the configuration', 'good.zip', 'MODEL_FILE_MISSING', /other\.txt[\s\S]*good\.txt/],
  ])('package: %s', async (_what, name, code, message) => {
    const url = `http://user:${SECRET}@127.0.0.1:${webPort}/${name}?sig=${SECRET}`;
    await bench.addBad({ package: { url }, configFile: 'other.txt' });
    const problem = await bench.problem();
    expect(problem).toMatchObject({ code, message: expect.stringMatching(message) });
    expect(JSON.stringify(problem) + bench.warnings.join('')).not.toContain(SECRET);
    await bench.goodGoesOn();
  });

  test('a broken model in place of a good one: the good one goes on, and it is said so', async () => {
    const from = source(PEOPLE, { pace: 'realtime' });
    await bench.addBad({ configFile: 'good.txt' }, from);
    await bench.until(() => bench.frames.has('bad'));
    await bench.addBad({ configFile: 'pointer.txt' }, from);
    const { code, message } = await bench.problem();
    expect(code).toBe('MODEL_FILE_NOT_ONNX');
    expect(message).toMatch(/the model that ran before goes on$/);
    const seen = bench.frames.get('bad')!.at(-1)!.frameId;
    await bench.until(() => bench.frames.get('bad')!.at(-1)!.frameId > seen + 1);
  });
});

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import type { ParserSpec } from '../src/index.ts';
import { nativeLibraryRefusal } from '../src/index.ts';
import { createBench, describeWithPython, expectGone, floats, isThere } from './support.ts';

const bench = createBench();

const failure = (code: string, message: RegExp) =>
  expect.objectContaining({ code, message: expect.stringMatching(message) });

describeWithPython('a Python file that cannot be used says why', () => {
  test.each<readonly [string, string, RegExp, Partial<ParserSpec>?]>([
    ['syntax', 'model_type = 0\nname = (', /: SyntaxError: .* \(parser\.py line 2\)$/],
    ['raises', 'name = "x"\nraise ValueError("no")', /: ValueError: no \(parser\.py line 2 in <module>\)$/],
    ['exits', 'import sys\nsys.exit("bye")', /: sys\.exit\(bye\)/],
    ['no name', 'model_type = 0', /: AttributeError: module 'parser' has no attribute 'name'/],
    ['no function', 'model_type = 0\nname = "x"', /: model_type is 0, so a function parse_det_model is needed$/],
    ['type 2', 'model_type = 2\nname = "x"', /: model_type must be 0 \(detection\) or 1 \(custom\), it is 2$/],
    ['no secondary', 'gie_unique_id = 1', /has no attribute 'parse_sgie_model'/, { role: 'secondary' }],
    [
      'package',
      'import shapely_of_mine',
      /No module named 'shapely_of_mine'.*; install the package: pip3 install shapely_of_mine$/,
    ],
    ['pyds', 'import pyds\npyds.get_nvds_buf_surface', /pyds\.get_nvds_buf_surface is not there in a custom parser/],
    [
      'hangs',
      'while True: pass',
      /: no answer within 3000 ms \(parser\.py line 1 in <module>\)$/,
      { loadDeadlineMs: 3000 },
    ],
    ['bytes', 'name = "\u0000"', /: (SyntaxError|ValueError): source code (string )?cannot contain null bytes/],
  ])('%s', async (...[, text, message, spec]) => {
    const before = sharedMemory();
    await expect(bench.open('python', text, spec)).rejects.toEqual(failure('PARSER_LOAD_FAILED', message));
    expect(sharedMemory()).toEqual(before);
  });

  test('an interpreter without numpy, and none at all', async () => {
    const folder = bench.folder({
      python3: '#!/bin/sh\necho "ModuleNotFoundError: No module named numpy" >&2; exit 1\n',
    });
    chmodSync(path.join(folder, 'python3'), 0o755);
    const usual = process.env['VANTAGE_PYTHON'];
    try {
      process.env['VANTAGE_PYTHON'] = path.join(folder, 'python3');
      await expect(bench.open('python', '')).rejects.toEqual(
        failure(
          'PARSER_PYTHON_MISSING',
          /python3: No module named numpy\)\. Install it \(apt-get install python3-numpy/,
        ),
      );
      process.env['VANTAGE_PYTHON'] = '/nowhere/python3';
      await expect(bench.open('python', '')).rejects.toEqual(
        failure('PARSER_PYTHON_MISSING', /\/nowhere\/python3: there is no such program/),
      );
    } finally {
      if (usual === undefined) delete process.env['VANTAGE_PYTHON'];
      else process.env['VANTAGE_PYTHON'] = usual;
    }
  });

  test('a parser sees no secrets of the module, and works in its own folder', async () => {
    process.env['IOTEDGE_TEST_SECRET'] = 'key';
    try {
      const text = `
import os
gie_unique_id = 1
def parse_sgie_model(config, raw_outputs): return [sorted(os.environ), os.getcwd()]
`;
      const parser = await bench.open('python', text, { role: 'secondary' });
      const [names, folder] = (await parser.read([])).message as [string[], string];
      expect(names).toContain('PATH');
      expect(names).not.toContain('IOTEDGE_TEST_SECRET');
      expect(folder).toMatch(/vantage-parser-/);
    } finally {
      delete process.env['IOTEDGE_TEST_SECRET'];
    }
  });
});

describe('a JavaScript file that cannot be used says why', () => {
  test.each<readonly [string, string, RegExp, Partial<ParserSpec>?]>([
    ['syntax', 'export const name = ;', /: SyntaxError: /],
    ['throws', "throw new Error('no');", /: Error: no \(parser\.js line 1( in \S+)?\)$/],
    ['no name', 'export const modelType = 0;', /: it must export name, a string$/],
    ['no type', "export const name = 'x';", /: it must export modelType, 0 \(detection\) or 1 \(custom\)$/],
    ['no function', "export const name = 'x', modelType = 1;", /so it must export a function parseCustomModel$/],
    ['no id', 'export const parseSgieModel = () => 1;', /must export gieUniqueId, a number$/, { role: 'secondary' }],
    ['package', "import 'of-mine';", /Cannot find package 'of-mine'/],
    ['hangs', 'for (;;);', /: no answer within 1000 ms/, { loadDeadlineMs: 1000 }],
  ])('%s', async (...[, text, message, spec]) => {
    await expect(bench.open('js', text, spec)).rejects.toEqual(failure('PARSER_LOAD_FAILED', message));
  });

  test('a path that is none', async () => {
    const folder = bench.folder({});
    await expect(bench.open('js', '', { file: `${folder}/absent.js` })).rejects.toEqual(
      failure('PARSER_FILE_MISSING', /absent\.js: .*ENOENT/),
    );
    mkdirSync(path.join(folder, 'folder.js'));
    await expect(bench.open('js', '', { file: `${folder}/folder.js` })).rejects.toEqual(
      failure('PARSER_FILE_MISSING', /folder\.js: it is not a file/),
    );
  });
});

describe('compiled parsers are refused', () => {
  test('by name and by content, with what to use instead', async () => {
    const folder = bench.folder({ 'libmine.so.1': '', 'parser.py': '\u007fELF\u0002\u0001' });
    for (const name of ['libmine.so.1', 'parser.py']) {
      await expect(bench.open('python', '', { file: path.join(folder, name) })).rejects.toEqual(
        failure(
          'PARSER_NATIVE_LIBRARY',
          /is a compiled library for DeepStream, which is not loaded here: name a built-in parser \("parser" or .* or write the parser in Python \(pyFile: .*\) or JavaScript \(jsFile\)$/,
        ),
      );
    }
  });

  test.each([
    ['NvDsInferParseYolo', 'deepstream-yolo'],
    ['NvDsInferParseCustomResnet', 'detectnet'],
    ['nvdsinferparsecustomlightdet', 'yolox'],
    ['NvDsInferParseCustomNVPlate', 'ctc-text'],
  ])('%s is built in', (functionName, parser) => {
    const sentence = nativeLibraryRefusal('/models/libx.so', functionName);
    expect(sentence).toBe(
      'libx.so is a compiled library for DeepStream, which is not loaded here: its function ' +
        `${functionName} is built in as parser "${parser}"; remove custom-lib-path`,
    );
  });

  test('a function that nobody knows', () => {
    expect(nativeLibraryRefusal('libx.so', 'Mine')).toMatch(/ and its function Mine is not built in: name a built-in/);
  });
});

describe('a new version of the file', () => {
  const version = (n: number) =>
    `export const modelType = 1, name = 'v${n}';\nexport const parseCustomModel = () => [null, ${n}];\n`;

  /** Waits for a line of the log. */
  async function logged(pattern: RegExp): Promise<void> {
    const until = performance.now() + 20_000;
    while (!bench.log.some(({ text }) => pattern.test(text))) {
      if (performance.now() > until) throw new Error(`not logged: ${String(pattern)}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  test('takes over without a lost picture; one that fails does not', async () => {
    const parser = await bench.open('js', version(1));
    const file = path.join(bench.lastFolder(), 'parser.js');
    expect(await parser.read([])).toEqual({ detections: [], message: 1 });

    writeFileSync(`${file}.new`, version(2));
    renameSync(`${file}.new`, file);
    const seen = new Set<unknown>();
    const until = performance.now() + 20_000;
    while (!seen.has(2) && performance.now() < until) {
      const { error, message } = await parser.read([]);
      expect(error).toBeUndefined();
      seen.add(message);
    }
    expect([...seen]).toEqual([1, 2]);
    expect(parser.info.name).toBe('v2');

    writeFileSync(file, 'export const name = ;');
    await logged(/^the new version of parser v2 is not used, the old one goes on: SyntaxError/);
    expect(await parser.read([])).toEqual({ detections: [], message: 2 });
    expect(parser.counts).toMatchObject({ failed: 0, reloads: 1, reloadFailures: 1, restarts: 0 });

    writeFileSync(file, version(3));
    await logged(/^parser v3: its new version is in use$/);
    expect(await parser.read([])).toEqual({ detections: [], message: 3 });
  });

  test('that is broken when the process ends: tried again with pauses, and taken as soon as it is whole', async () => {
    const dies = `if (Object.keys(outputs).length > 0) process.exit(4);`;
    const text = (n: number) =>
      `export const modelType = 1, name = 'v${n}';\nexport const parseCustomModel = (_, outputs) => { ${dies} return [null, ${n}]; };\n`;
    const parser = await bench.open('js', text(1));
    const file = path.join(bench.lastFolder(), 'parser.js');
    writeFileSync(file, 'export const name = ;');
    await logged(/is not used, the old one goes on/);
    expect((await parser.read([floats('die', [1])])).error).toBe('the process ended with exit code 4');
    await logged(/^parser v1 is started again in 0 ms: the process ended with exit code 4$/);
    await logged(/^parser v1 is started again in 500 ms: SyntaxError/);
    expect((await parser.read([])).error).toMatch(/^SyntaxError.*; the parser is started again$/);
    writeFileSync(file, text(2));
    await logged(/^parser v2: its new version is in use$/);
    expect(await parser.read([])).toEqual({ detections: [], message: 2 });
  });
});

describeWithPython('a host that is killed', () => {
  test.each([
    [
      'python',
      'import os\ngie_unique_id = 1\nn = 0\ndef parse_sgie_model(c, o):\n    global n\n    n += 1\n    while n > 1: pass\n    return os.getpid()\n',
    ],
    [
      'js',
      'let n = 0;\nexport const gieUniqueId = 1;\nexport const parseSgieModel = () => { while ((n += 1) > 1); return process.pid; };\n',
    ],
  ])('leaves no parser behind, even one that hangs: %s', async (kind, text) => {
    const name = kind === 'python' ? 'parser.py' : 'parser.js';
    const file = path.join(bench.folder({ [name]: text }), name);
    const script = path.join(import.meta.dirname, 'dying-host.ts');
    const host = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', script, kind, file]);
    const [line] = (await once(host.stdout, 'data')) as [Buffer];
    const pid = Number(line.toString());
    expect(isThere(pid)).toBe(true);
    host.kill('SIGKILL');
    await expectGone(pid);
  });
});

function sharedMemory(): string[] {
  const folder = process.platform === 'linux' ? '/dev/shm' : os.tmpdir();
  return readdirSync(folder).filter((name) => name.startsWith('vantage-parser-'));
}

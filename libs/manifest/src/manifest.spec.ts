import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { joinChunks, splitCreateOptions } from './create-options.ts';
import { expandVariables, withDotEnv } from './env.ts';
import { generateManifest, manifestName } from './generate.ts';
import { parseImage } from './image.ts';
import { JsonNumber, fromPlain, parseJson, toPlain } from './json.ts';
import { parseModuleFile } from './module-file.ts';
import { dumpJson, formatNumber, pythonRepr } from './python-format.ts';
import { inspectDeployment } from './inspect/inspect.ts';
import { pathText } from './inspect/problem.ts';

describe('expandVariables', () => {
  const env = { A: '1', EMPTY: '', 'a b': 'spaced', NESTED: '$A', GONE: undefined };
  test.each([
    ['$A ${A} $AB', '1 1 $AB'],
    ['[$EMPTY][${EMPTY}]', '[][]'],
    ['$NOPE ${NOPE} ${} $', '$NOPE ${NOPE} ${} $'],
    ['${a b}', 'spaced'],
    ['$NESTED', '$A'],
    ['$GONE', '$GONE'],
    ['$toString ${constructor}', '$toString ${constructor}'],
    ['$é', '$é'],
    ['${MODULES.x} $upstream', '${MODULES.x} $upstream'],
  ])('%s', (text, expected) => {
    expect(expandVariables(text, env)).toBe(expected);
  });

  test('.env does not override', () => {
    expect(withDotEnv('A=2\nB="x y" # note\n', { A: '1' })).toEqual({ A: '1', B: 'x y' });
  });
});

describe('JSON as Python has it', () => {
  test.each([
    ['1.0', '1.0'],
    ['1e21', '1e+21'],
    ['-0', '0'],
    ['-0.0', '-0.0'],
    ['1E400', 'Infinity'],
    ['0.00001', '1e-05'],
    ['0.0001', '0.0001'],
    ['123456789012345678901234567890', '123456789012345678901234567890'],
    ['1e15', '1000000000000000.0'],
    ['1.5e16', '1.5e+16'],
    ['100.50', '100.5'],
  ])('%s prints as %s', (text, expected) => {
    expect(formatNumber(new JsonNumber(text))).toBe(expected);
  });

  test.each([
    ['', 'Expecting value: line 1 column 1 (char 0)'],
    ['{}{', 'Extra data: line 1 column 3 (char 2)'],
    ['{\n "a" 1}', "Expecting ':' delimiter: line 2 column 6 (char 7)"],
    ['{"a":1 "b"}', "Expecting ',' delimiter: line 1 column 8 (char 7)"],
    ["{'a':1}", 'Expecting property name enclosed in double quotes: line 1 column 2 (char 1)'],
    ['["a', 'Unterminated string starting at: line 1 column 2 (char 1)'],
    ['["\n"]', 'Invalid control character at: line 1 column 3 (char 2)'],
    ['["\\x"]', 'Invalid \\escape: line 1 column 3 (char 2)'],
    ['[01]', "Expecting ',' delimiter: line 1 column 3 (char 2)"],
    ['["😀",', 'Expecting value: line 1 column 6 (char 5)'],
  ])('%j is refused in its words', (text, message) => {
    expect(() => parseJson(text)).toThrow(message);
  });

  test('a hostile depth is refused', () => {
    expect(() => parseJson('['.repeat(100_000))).toThrow('Nested too deeply');
  });

  test('keys keep their order, also those that look like integers', () => {
    expect(dumpJson(parseJson('{"b":1,"2":[],"1":{},"b":"é\u2028"}'), undefined)).toBe(
      String.raw`{"b":"\u00e9\u2028","2":[],"1":{}}`,
    );
  });

  test('reads back what it prints', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(undefined, 2), (value, indent) => {
        expect(toPlain(parseJson(dumpJson(fromPlain(value), indent)))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  test('repr', () => {
    expect(pythonRepr(parseJson(`{"a":[true,null,1.0,"it's","\\"'","\\\\"]}`))).toBe(
      String.raw`{'a': [True, None, 1.0, "it's", '"\'', '\\']}`,
    );
  });
});

test('createOptions of any text survive cutting and joining', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('a', '{', '"', 'é', '😀', '\\'), maxLength: 2000 }), (text) => {
      const chunks = splitCreateOptions(text, 'm');
      const keys = chunks.map((chunk, i) => [i === 0 ? 'createOptions' : `createOptions0${i}`, chunk] as const);
      expect(joinChunks(Object.fromEntries(keys.reverse()))).toBe(text);
    }),
  );
});

test.each([
  ['a/b/deployment.template.json', '1.0.0', 'deployment.amd64.json'],
  ['deployment.template.json', '', 'deployment.json'],
  ['deployment.gpu.template.json', '4.0.0', 'deployment.gpu.amd64.json'],
  ['x.json', '0.0.1', 'x.json'],
  ['template', '2.0.0', 'deployment.amd64.json'],
])('%s of version %s gives %s', (path, version, expected) => {
  expect(manifestName(path, version, 'amd64')).toBe(expected);
});

test.each([
  ['$upstream:443/vantage/x:1', { registry: '$upstream:443', repository: 'vantage/x', tag: '1' }],
  ['vantage/x', { repository: 'vantage/x', tag: 'latest' }],
  ['localhost/x', { registry: 'localhost', repository: 'x', tag: 'latest' }],
])('image %s', (image, expected) => {
  expect(parseImage(image)).toMatchObject(expected);
});

test('module.json may say how a process runs, and must say it well', () => {
  expect(parseModuleFile('{"process":{"command":["node","src/main.ts"]}}')).toEqual({
    repository: '',
    version: '0.0.0',
    platforms: [],
    process: { command: ['node', 'src/main.ts'] },
  });
  for (const process of ['"node"', '{}', '{"command":[]}', '{"command":[1]}']) {
    expect(() => parseModuleFile(`{"process":${process}}`)).toThrow('process.command');
  }
});

describe('generateManifest', () => {
  const template = (image: string): string =>
    JSON.stringify({
      modulesContent: {
        $edgeAgent: { 'properties.desired': { modules: { m: { settings: { image } } }, systemModules: {} } },
      },
    });

  test('a broken or missing module.json is named', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'vantage-manifest-'));
    try {
      const templatePath = join(folder, 'deployment.template.json');
      const generate = (image: string): Promise<unknown> =>
        generateManifest({ templateText: template(image), templatePath, env: {} });
      await expect(generate('${MODULEDIR<./none>}')).rejects.toMatchObject({ code: 'MODULE_FILE' });
      await mkdir(join(folder, 'modules', 'bad'), { recursive: true });
      await writeFile(join(folder, 'modules', 'bad', 'module.json'), '{');
      await expect(generate('x')).rejects.toThrow(/bad[/\\]module\.json: Expecting property name/);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  test.each([
    ['[]', 'TEMPLATE_INVALID'],
    ['{}', 'TEMPLATE_INVALID'],
    ['{"modulesContent":{"$edgeAgent":{"properties.desired":{}}}}', 'TEMPLATE_INVALID'],
    ['{"modulesContent":{"$edgeAgent":{"properties.desired":{"modules":{"m":{}}}}}}', 'TEMPLATE_INVALID'],
    ['{"ttl": ${TTL}}', 'JSON_SYNTAX'],
  ])('%s is refused', async (templateText, code) => {
    await expect(generateManifest({ templateText, templatePath: '/none/t.json', env: {} })).rejects.toMatchObject({
      code,
    });
  });
});

test('inspectDeployment finds what only a device would have found', () => {
  const settings = { image: 'a:b:c', createOptions: '{}', createOptions02: '' };
  const manifest = fromPlain({
    modulesContent: {
      $edgeAgent: { 'properties.desired': { modules: { m: { settings } }, systemModules: {} } },
      $edgeHub: {
        'properties.desired': {
          schemaVersion: '1.2',
          routes: {
            types: 'FROM /messages/* WHERE temp > 50 INTO $upstream',
            nowhere: 'FROM /messages/* INTO BrokeredEndpoint("/modules/x/inputs/i")',
          },
          storeAndForwardConfiguration: { timeToLiveSecs: 7200 },
        },
      },
    },
  });
  const agent = 'modulesContent.$edgeAgent["properties.desired"]';
  const routes = 'modulesContent.$edgeHub["properties.desired"].routes';
  expect(inspectDeployment(manifest).map(({ path, message }) => ({ path: pathText(path), message }))).toEqual(
    expect.arrayContaining([
      { path: `${agent}.modules.m.settings.image`, message: "image 'a:b:c' is not of the form [registry/]name[:tag]" },
      {
        path: `${agent}.modules.m.settings.createOptions`,
        message: 'Error while parsing chunked field "createOptions", expected createOptions01 found createOptions02',
      },
      { path: `${routes}.types`, message: "'>' cannot take a string and a number (column 29)" },
      {
        path: `${routes}.nowhere`,
        message: 'leads to module "x", which is not deployed: its messages wait until they expire',
      },
    ]),
  );
});

test('inspectDeployment tells what edgeHub refuses as a whole', () => {
  const hub = (desired: object): string[] =>
    inspectDeployment(
      fromPlain({ modulesContent: { $edgeHub: { 'properties.desired': { schemaVersion: '1.1', ...desired } } } }),
    )
      .filter(({ path }) => pathText(path) === 'modulesContent.$edgeHub["properties.desired"]')
      .map(({ message }) => message);
  const storeAndForwardConfiguration = { timeToLiveSecs: 7200 };
  expect(hub({ routes: {}, storeAndForwardConfiguration })).toEqual([]);
  const priority = { a: { route: 'FROM /messages/* INTO $upstream', priority: 12 } };
  expect(hub({ routes: priority, storeAndForwardConfiguration }).join()).toContain('priority');
});

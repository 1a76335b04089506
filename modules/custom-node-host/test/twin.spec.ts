import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { readHostTwin } from '../src/index.ts';
import { twinJsonSchema } from '../src/twin/schema.ts';

const parseFile = (name: string): unknown => JSON.parse(readFileSync(new URL(`../${name}`, import.meta.url), 'utf8'));

describe('the twin', () => {
  test('of the files: the default one is empty, the schema is the generated one', () => {
    expect(readHostTwin(parseFile('twin.default.json'))).toMatchObject({ nodes: [], errors: [], warnings: [] });
    expect(parseFile('twin.schema.json')).toEqual(JSON.parse(JSON.stringify(twinJsonSchema())));
  });

  test('gives definitions with defaults; null means absent', () => {
    const { nodes, errors, warnings } = readHostTwin({
      nodes: {
        privacy: { builtin: 'blur', port: 6677, settings: { labels: ['face'] }, entry: null },
        mine: { zip: { url: 'https://h/n.zip' }, port: 6678, deadlineMs: 100, env: { A: 'b' }, route: '/mine' },
        gone: null,
      },
    });
    expect([errors, warnings]).toEqual([[], []]);
    expect(nodes).toEqual([
      {
        name: 'privacy',
        source: { kind: 'builtin', builtin: 'blur' },
        port: 6677,
        settings: { labels: ['face'] },
        env: {},
        deadlineMs: 5000,
        memoryMiB: 1024,
        maxInFlight: 4,
      },
      {
        name: 'mine',
        source: { kind: 'zip', url: 'https://h/n.zip' },
        port: 6678,
        route: '/mine',
        settings: {},
        env: { A: 'b' },
        deadlineMs: 100,
        memoryMiB: 1024,
        maxInFlight: 4,
      },
    ]);
  });

  test.each([
    ['no source', { port: 1 }, 'nodes.bad', /exactly one of builtin, folder and zip; found none/],
    ['two sources', { builtin: 'flip', folder: 'x', port: 1 }, 'nodes.bad', /found builtin and folder/],
    ['an unknown builtin', { builtin: 'flop', port: 1 }, 'nodes.bad.builtin', /blur/],
    ['no port', { builtin: 'flip' }, 'nodes.bad.port', /is missing/],
    ['port 70000', { builtin: 'flip', port: 70_000 }, 'nodes.bad.port', /65535/],
    ['a port of another node', { builtin: 'flip', port: 6677 }, 'nodes.bad.port', /port 6677 is that of "good"/],
    ['a bad digest', { zip: { url: 'x', sha256: 'abc' }, port: 1 }, 'nodes.bad.zip.sha256', /64 hexadecimal digits/],
    ['a route without slash', { builtin: 'flip', port: 1, route: 'GRPC' }, 'nodes.bad.route', /such as \/flip/],
    ['a deadline of 0', { builtin: 'flip', port: 1, deadlineMs: 0 }, 'nodes.bad.deadlineMs', /50/],
    ['an environment of numbers', { builtin: 'flip', port: 1, env: { A: 1 } }, 'nodes.bad.env.A', /expected text/],
    ['no object', 'flip', 'nodes.bad', /expected an object/],
  ])('%s: the path is named, the other node is there', (_what, bad, path, message) => {
    const { nodes, named, errors } = readHostTwin({ nodes: { good: { builtin: 'flip', port: 6677 }, bad } });
    expect(nodes.map(({ name }) => name)).toEqual(['good']);
    expect([...named]).toEqual(['good', 'bad']);
    expect(errors).toHaveLength(1);
    expect(errors[0]).toMatchObject({ path, message: expect.stringMatching(message) });
  });

  test('bad names, too many nodes, unknown keys and no object at all', () => {
    expect(readHostTwin({ nodes: { 'a b': { builtin: 'flip', port: 0 } } }).errors[0]?.path).toBe('nodes["a b"]');
    const many = Object.fromEntries(Array.from({ length: 40 }, (_, at) => [`n${at}`, { builtin: 'flip', port: 0 }]));
    expect(readHostTwin({ nodes: many })).toMatchObject({ errors: [{ path: 'nodes' }] });
    expect(readHostTwin({ nodes: many }).nodes).toHaveLength(32);
    expect(readHostTwin({ nodes: { a: { builtin: 'flip', port: 0, deadlinMs: 1 } } }).warnings).toMatchObject([
      { path: 'nodes.a.deadlinMs', message: expect.stringContaining('Did you mean "deadlineMs"?') },
    ]);
    expect(readHostTwin('x').errors).toHaveLength(1);
    expect(readHostTwin({ nodes: [] }).errors).toMatchObject([{ path: 'nodes' }]);
  });
});

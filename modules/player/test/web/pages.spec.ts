import { describe, expect, test } from '@jest/globals';
import { ago, bytes, clock, counts } from '../../web/src/core/format.ts';
import { fromRoot, jsonFault, lineOf, locate, pathOf, stepsOf, valueAt, withValue } from '../../web/src/core/locate.ts';
import { changeOf, compareRegions, mergeRegions } from '../../web/src/core/merge.ts';
import { blank, controlOf, fieldsOf, issuesAt } from '../../web/src/core/schema-form.ts';
import type { Region } from '../../web/src/core/shapes.ts';
import { barHeights, ticks, zoom } from '../../web/src/core/timeline.ts';
import { linesOf, skillsForLines, withLines } from '../../web/src/core/twin-rules.ts';
import { Slots } from '../../web/src/core/slots.ts';
import { rowsInView } from '../../web/src/core/virtual.ts';

describe('places in JSON', () => {
  const twin = { a: { list: [{ name: 'x "y"' }, { name: 'gate', 'odd key': [1, 2] }], empty: {} } };
  const text = JSON.stringify(twin, null, 2);

  test.each(['a', 'a.list', 'a.list[1].name', 'a.list[1]["odd key"][1]', 'a.empty'])('%s is found', (path) => {
    expect(pathOf(stepsOf(path))).toBe(path);
    const value = JSON.stringify(valueAt(twin, stepsOf(path)), null, 2);
    expect(text.slice(locate(text, path)).replace(/\s+/g, '')).toContain(value.replace(/\s+/g, ''));
    expect(text.slice(locate(text, path)).replace(/\s+/g, '').indexOf(value.replace(/\s+/g, ''))).toBe(0);
  });

  test('what is not there is shown at what would hold it', () => {
    expect(lineOf(text, locate(text, 'a.list[1].endpoint'))).toEqual(lineOf(text, locate(text, 'a.list[1]')));
    expect(locate(text, '')).toBe(0);
  });

  test('a copy with another value shares nothing that changed', () => {
    const next = withValue(twin, stepsOf('a.list[1].name'), 'door');
    expect(next).toEqual({ a: { ...twin.a, list: [twin.a.list[0], { ...twin.a.list[1], name: 'door' }] } });
    expect(twin.a.list[1]!.name).toBe('gate');
    expect(withValue(twin, stepsOf('a.list[0]'), undefined)).toEqual({ a: { ...twin.a, list: [twin.a.list[1]] } });
    expect(withValue({}, stepsOf('b.c'), 1)).toEqual({ b: { c: 1 } });
  });

  test('a path that leaves out where the twin begins is found, too', () => {
    expect(fromRoot(twin, 'list[1].name')).toBe('a.list[1].name');
    expect(fromRoot(twin, 'a.list')).toBe('a.list');
    expect(fromRoot(twin, 'nowhere.b')).toBe('nowhere.b');
  });

  test('a fault of the text has a line', () => {
    expect(jsonFault('{}')).toBeUndefined();
    expect(jsonFault('{\n  "a": 1,\n  b\n}')).toMatchObject({ line: 3 });
    expect(jsonFault('{\n')).toMatchObject({ line: 2 });
  });
});

describe('forms', () => {
  test('controls by schema, else by value', () => {
    expect(controlOf({ type: 'string' }, '')).toBe('text');
    expect(controlOf({ enum: ['a'] }, 'a')).toBe('choice');
    expect(controlOf({ anyOf: [{ type: 'string' }, { type: 'object', properties: {} }] }, {})).toBe('object');
    expect(controlOf({ anyOf: [{ type: 'string' }, { type: 'object', properties: {} }] }, 'x')).toBe('text');
    expect(controlOf({ type: 'array', items: { type: 'array' } }, [[0, 0]])).toBe('json');
    expect(controlOf(undefined, true)).toBe('switch');
    expect(controlOf(undefined, null)).toBe('json');
  });

  test('fields of the schema first, then what only the twin has', () => {
    const schema = { type: 'object', properties: { a: { type: 'string' }, b: { type: 'number' } } };
    expect(fieldsOf(schema, { z: 1, b: 2 }).map(({ key }) => key)).toEqual(['a', 'b', 'z']);
    expect(blank({ ...schema, required: ['a'] })).toEqual({ a: '' });
  });

  test('issues at a field and below it, wherever the path begins', () => {
    const issues = [{ severity: 'error' as const, path: 'components.sensors[0].name', message: 'empty' }];
    expect(issuesAt(issues, 'azdaConfiguration.components.sensors[0].name')).toHaveLength(1);
    expect(issuesAt(issues, 'azdaConfiguration.components.sensors[1].name')).toHaveLength(0);
    expect(issuesAt(issues, 'azdaConfiguration.components.sensors', true)).toHaveLength(1);
    expect(issuesAt(issues, 'azdaConfiguration.components.models', true)).toHaveLength(0);
  });
});

describe('two people at the same regions', () => {
  const region = (label: string, x: number, color = '#ff0000'): Region => ({ label, color, coordinates: [[x, 0], [1, 0], [1, 1]] }); // prettier-ignore
  const base = [region('door', 0), region('gate', 0)];

  test('changes that do not touch each other are put together', () => {
    const mine = [region('door', 0.5), region('gate', 0), region('new', 0)];
    const theirs = [region('door', 0), region('gate', 0, '#00ff00')];
    expect(compareRegions(base, mine, theirs).map(({ key, clash }) => [key, clash])).toEqual([
      ['door', false],
      ['gate', false],
      ['new', false],
    ]);
    expect(mergeRegions(base, mine, theirs)).toEqual([
      region('door', 0.5),
      region('gate', 0, '#00ff00'),
      region('new', 0),
    ]);
  });

  test('both changed one: somebody chooses', () => {
    const [mine, theirs] = [
      [region('door', 0.5), base[1]!],
      [region('door', 0.7), base[1]!],
    ];
    expect(compareRegions(base, mine, theirs)).toMatchObject([{ key: 'door', clash: true }]);
    expect(mergeRegions(base, mine, theirs)[0]).toEqual(region('door', 0.5));
    expect(mergeRegions(base, mine, theirs, { door: 'theirs' })[0]).toEqual(region('door', 0.7));
  });

  test('they removed what I did not touch: it is gone; I removed what they changed: I choose', () => {
    expect(mergeRegions(base, base, [base[0]!])).toEqual([base[0]]);
    const theirs = [base[0]!, region('gate', 0.3)];
    expect(compareRegions(base, [base[0]!], theirs)).toMatchObject([{ key: 'gate', clash: true }]);
    expect(mergeRegions(base, [base[0]!], theirs, { gate: 'theirs' })).toEqual(theirs);
  });

  test('names that occur twice, and words for changes', () => {
    const twice = [region('door', 0), region('door', 0.5)];
    expect(mergeRegions(twice, twice, [...twice])).toEqual(twice);
    expect([
      changeOf(undefined, base[0]),
      changeOf(base[0], undefined),
      changeOf(base[0], region('door', 0.1, '#0000ff')),
    ]).toEqual(['added', 'removed', 'moved, recoloured']);
  });
});

describe('lines of skills', () => {
  const skill = {
    id: 'count',
    nodes: [
      { id: '0', type: 'source', name: 'rtsp' },
      { id: '1', type: 'transform', name: 'tracker' },
      { id: '2', type: 'transform', name: 'line_crossing', configurations: { line: '[[0.1,0.5],[0.9,0.5]]' } },
      { id: '3', type: 'export', name: 'iothub_export' },
    ],
    edges: [
      { source: { node: '0' }, target: { node: '1' } },
      { source: { node: '1' }, target: { node: '2' } },
      { source: { node: '2' }, target: { node: '3' } },
    ],
    instances: [{ id: 'count-west', sensors: ['gate'] }],
  };
  const desired = { azdaConfiguration: { components: { skills: [skill] } } };

  test('are found at the cameras that the skill looks at', () => {
    expect(linesOf(desired, 'door')).toEqual([]);
    expect(skillsForLines(desired, 'gate')).toEqual(['count']);
    expect(linesOf(desired, 'gate')).toMatchObject([
      { kind: 'line', points: [[0.1, 0.5], [0.9, 0.5]], rule: { skill: 'count', node: '2', direction: 'both' } },
    ]); // prettier-ignore
  });

  test('unchanged, moved, added, removed', () => {
    const [line] = linesOf(desired, 'gate');
    expect(withLines(desired, 'gate', [line!])).toBeUndefined();
    const moved = withLines(desired, 'gate', [{ ...line!, points: [[0, 0], [1, 1]] }]); // prettier-ignore
    expect(linesOf({ azdaConfiguration: { components: { skills: moved } } }, 'gate')[0]?.points).toEqual([[0, 0], [1, 1]]); // prettier-ignore
    const fresh = { ...line!, id: 99, rule: { skill: 'count', direction: 'both' } };
    const [added] = withLines(desired, 'gate', [line!, fresh]) as [typeof skill];
    expect(added.nodes).toHaveLength(5);
    expect(added.edges.slice(3)).toEqual([
      { source: { node: '1' }, target: { node: '4' } },
      { source: { node: '4' }, target: { node: '3' } },
    ]);
    const [removed] = withLines(desired, 'gate', []) as [typeof skill];
    expect([removed.nodes.length, removed.edges.length]).toEqual([3, 1]);
  });
});

test('so many at once; the last who came is next, and who gives up is not asked', () => {
  const slots = new Slots(2);
  const began: number[] = [];
  const ends = [0, 1, 2, 3, 4].map((one) => slots.take(() => began.push(one)));
  expect(began).toEqual([0, 1]);
  ends[4]!();
  ends[0]!();
  ends[0]!();
  expect(began).toEqual([0, 1, 3]);
  ends[1]!();
  ends[3]!();
  expect(began).toEqual([0, 1, 3, 2]);
});

test('ten thousand rows: only those in view are drawn', () => {
  expect(rowsInView(10_000, 76, 380_000, 760)).toEqual({ first: 4992, end: 5018, above: 379_392, height: 760_000 });
  expect(rowsInView(3, 76, 0, 760)).toEqual({ first: 0, end: 3, above: 0, height: 228 });
  expect(rowsInView(0, 76, 500, 760)).toEqual({ first: 0, end: 0, above: 0, height: 0 });
});

test('time: round marks, zoom around a moment, bars', () => {
  const day = Date.UTC(2026, 10, 21);
  expect(ticks({ from: day, to: day + 3_600_000 }, 6).map((at) => (at - day) / 60_000)).toEqual([0, 15, 30, 45, 60]);
  expect(zoom({ from: 0, to: 100_000 }, 0.5, 20_000)).toEqual({ from: 10_000, to: 60_000 });
  expect(zoom({ from: 0, to: 10_000 }, 0.1, 5000)).toEqual({ from: 0, to: 10_000 });
  expect(barHeights([0, 1, 100])).toEqual([0, expect.closeTo(0.235), 1]);
});

test('figures for people', () => {
  expect([bytes(999), bytes(1_234_567), bytes(5e9)]).toEqual(['999 B', '1.2 MB', '5.0 GB']);
  expect([clock(9.9), clock(725), clock(3723)]).toEqual(['0:09', '12:05', '1:02:03']);
  expect([ago(0, 1000), ago(0, 50_000), ago(0, 7_200_000)]).toEqual(['just now', '50 s ago', '2 h ago']);
  expect([counts({ person: 2, car: 0 }), counts({})]).toEqual(['2 person', 'nothing']);
});

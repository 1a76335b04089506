import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createInsightStage, type FrameInsights, type FrameObject, type Rule, type SourceNode } from '../src/index.ts';

const SIZE = { width: 1000, height: 1000 };
/** The right half of the picture. */
const RIGHT = {
  polygon: [
    [0.5, 0],
    [1, 0],
    [1, 1],
    [0.5, 1],
  ],
} as const;
const ALL = { labels: [], minConfidence: 0, anchor: 'bottomCentre' } as const;
const UPWARDS = [
  [0.5, 1],
  [0.5, 0],
] as const;

const SOURCE: SourceNode = {
  kind: 'source',
  id: 'source/gate',
  sensor: 'gate',
  url: 'rtsp://host/gate',
  regions: [{ label: 'door', color: '#ff0000', coordinates: RIGHT.polygon }],
  pace: 'realtime',
  loop: false,
};

interface Where {
  readonly x: number;
  readonly y?: number;
  readonly id?: number;
  readonly label?: string;
  readonly confidence?: number;
  readonly height?: number;
}

/** An object whose lower middle is at x, y. */
function object({ x, y = 500, id = 1, label = 'person', confidence = 0.9, height = 100 }: Where): FrameObject {
  const box = { left: x - 25, top: y - height, width: 50, height };
  return { classId: 0, label, confidence, box, trackingId: id, componentId: 1, attributes: [] };
}

function frame(seconds: number, objects: readonly Where[]): FrameInsights {
  const ptsUs = Math.round(seconds * 1e6);
  const times = { frameId: Math.round(seconds * 10), ptsUs, captureTimeMs: 1_700_000_000_000 + ptsUs / 1000 };
  return { sensor: 'gate', ...times, ...SIZE, detections: objects.map(object) };
}

/** What a rule says over time: `2.5 dwell 1`, by seconds of frame time, event and objects. */
function told(rule: Rule, frames: readonly FrameInsights[]): string[] {
  const stage = createInsightStage({ kind: 'rule', id: 'r', rule }, SOURCE);
  return frames.flatMap((one) =>
    (stage.process(one).events ?? []).map(({ type, relatedIds, properties }) =>
      [one.ptsUs / 1e6, type, properties['direction'], ...relatedIds].filter((part) => part !== undefined).join(' '),
    ),
  );
}

/** Ten frames a second; undefined: nobody is there. */
function walk(...xs: readonly (number | undefined)[]): FrameInsights[] {
  return xs.map((x, index) => frame(index / 10, x === undefined ? [] : [{ x }]));
}

const stay = (x: number | undefined, frames: number): (number | undefined)[] => Array.from({ length: frames }, () => x);

describe('presence', () => {
  const rule = (more: Partial<Extract<Rule, { type: 'presence' }>> = {}): Rule => ({
    ...ALL,
    type: 'presence',
    area: RIGHT,
    holdSeconds: 1,
    ...more,
  });

  test.each<[string, Rule, FrameInsights[], string[]]>([
    ['nobody', rule(), walk(...stay(undefined, 20)), []],
    ['outside', rule(), walk(...stay(499, 20)), []],
    ['the boundary belongs to the zone', rule(), walk(500), ['0 presenceStarted 1']],
    [
      'it ends when nobody was there for as long',
      rule(),
      walk(600, 100, ...stay(100, 12)),
      ['0 presenceStarted 1', '1 presenceEnded'],
    ],
    [
      'a short gap is none',
      rule(),
      walk(600, ...stay(undefined, 9), 600, ...stay(undefined, 9)),
      ['0 presenceStarted 1'],
    ],
    [
      'no hold: at once',
      rule({ holdSeconds: 0 }),
      walk(600, 100, 600),
      ['0 presenceStarted 1', '0.1 presenceEnded', '0.2 presenceStarted 1'],
    ],
    ['another label', rule({ labels: ['car'] }), walk(600), []],
    ['too little confidence', rule({ minConfidence: 0.95 }), walk(600), []],
    [
      'a class of its own',
      rule({ minConfidence: 0.95, perClass: { person: { minConfidence: 0.5 } } }),
      walk(600),
      ['0 presenceStarted 1'],
    ],
    ['a region of the camera', rule({ area: { region: 'door' } }), walk(600), ['0 presenceStarted 1']],
    ['a region that the camera does not have', rule({ area: { region: 'gate' } }), walk(600), []],
    [
      'a name that every object has',
      rule({ perClass: {}, labels: ['__proto__'] }),
      [frame(0, [{ x: 600, label: '__proto__' }])],
      ['0 presenceStarted 1'],
    ],
  ])('%s', (_name, given, frames, expected) => expect(told(given, frames)).toEqual(expected));

  test('the anchor: feet on the boundary, or the middle', () => {
    const lower = {
      polygon: [
        [0, 0.5],
        [1, 0.5],
        [1, 1],
        [0, 1],
      ],
    } as const;
    const at = (anchor: 'centre' | 'bottomCentre') =>
      told(rule({ area: lower, anchor }), [frame(0, [{ x: 500, y: 500 }])]);
    expect([at('bottomCentre').length, at('centre').length]).toEqual([1, 0]);
  });

  test('an object that leaves the picture below is in a zone that ends there', () => {
    expect(told(rule(), [frame(0, [{ x: 700, y: 1100, height: 300 }])])).toEqual(['0 presenceStarted 1']);
  });

  test('figures are under the node’s id, beside those of other nodes', () => {
    const stage = createInsightStage({ kind: 'rule', id: 'r', rule: rule() }, SOURCE);
    const { properties } = stage.process({ ...frame(0, [{ x: 600 }, { x: 700, id: 2 }]), properties: { other: '1' } });
    expect(properties).toEqual({ other: '1', 'r.present': 'true', 'r.count': '2' });
  });
});

describe('dwell', () => {
  const rule = (more: Partial<Extract<Rule, { type: 'dwell' }>> = {}): Rule => ({
    ...ALL,
    type: 'dwell',
    area: RIGHT,
    seconds: 2,
    holdSeconds: 0.5,
    ...more,
  });

  test.each<[string, Rule, FrameInsights[], string[]]>([
    [
      'told once, when it has lasted, and when it ends',
      rule(),
      walk(...stay(600, 30), ...stay(100, 10)),
      ['2 dwell 1', '3.5 dwellEnded 1'],
    ],
    ['too short', rule(), walk(...stay(600, 20), ...stay(100, 20)), []],
    [
      'out for less than the hold is no end',
      rule(),
      walk(...stay(600, 10), ...stay(100, 4), ...stay(600, 7)),
      ['2 dwell 1'],
    ],
    ['out for longer begins anew', rule(), walk(...stay(600, 10), ...stay(100, 7), ...stay(600, 20)), []],
    ['seconds of a class', rule({ perClass: { person: { seconds: 1 } } }), walk(...stay(600, 15)), ['1 dwell 1']],
    [
      'nobody follows the object',
      rule(),
      Array.from({ length: 40 }, (_, at) => frame(at / 10, [{ x: 600, id: -1 }])),
      [],
    ],
    [
      'each object by itself',
      rule(),
      Array.from({ length: 31 }, (_, at) => frame(at / 10, at < 10 ? [{ x: 600 }] : [{ x: 600 }, { x: 700, id: 2 }])),
      ['2 dwell 1', '3 dwell 2'],
    ],
  ])('%s', (_name, given, frames, expected) => expect(told(given, frames)).toEqual(expected));
});

describe('crowding', () => {
  const rule: Rule = { ...ALL, type: 'crowding', area: RIGHT, atLeast: 2, forSeconds: 1 };
  const crowd = (...counts: readonly number[]) =>
    counts.map((count, index) =>
      frame(
        index / 2,
        Array.from({ length: count }, (_, id) => ({ x: 600, id: id + 1 })),
      ),
    );

  test.each<[string, number[], string[]]>([
    ['long enough', [1, 2, 2, 2, 2], ['1.5 crowdingStarted 1 2']],
    ['too short', [2, 2, 1, 2, 2, 0], []],
    ['a moment of fewer does not end it', [2, 2, 2, 1, 2, 2], ['1 crowdingStarted 1 2']],
    ['fewer for as long end it', [3, 3, 3, 1, 1, 1], ['1 crowdingStarted 1 2 3', '2.5 crowdingEnded 1']],
  ])('%s', (_name, counts, expected) => expect(told(rule, crowd(...counts))).toEqual(expected));

  test('at once, where no time is asked for; objects need no tracker', () => {
    const frames = [
      frame(0, [
        { x: 600, id: -1 },
        { x: 700, id: -1 },
      ]),
      frame(0.1, []),
    ];
    expect(told({ ...rule, forSeconds: 0 }, frames)).toEqual(['0 crowdingStarted', '0.1 crowdingEnded']);
  });
});

describe('line crossing', () => {
  const rule = (more: Partial<Extract<Rule, { type: 'lineCrossing' }>> = {}): Rule => ({
    ...ALL,
    type: 'lineCrossing',
    line: UPWARDS,
    direction: 'both',
    ...more,
  });

  test.each<[string, Rule, FrameInsights[], string[]]>([
    [
      'to the right of somebody who walks along the line',
      rule(),
      walk(400, 480, 520, 600),
      ['0.2 lineCrossing leftToRight 1'],
    ],
    ['to the left', rule(), walk(600, 400), ['0.1 lineCrossing rightToLeft 1']],
    [
      'there and back',
      rule(),
      walk(400, 600, 400),
      ['0.1 lineCrossing leftToRight 1', '0.2 lineCrossing rightToLeft 1'],
    ],
    ['one direction only', rule({ direction: 'rightToLeft' }), walk(400, 600, 400), ['0.2 lineCrossing rightToLeft 1']],
    ['who trembles on the line crosses nothing', rule(), walk(400, 498, 502, 498, 503, 497, 400), []],
    [
      'who trembles and goes on crosses once',
      rule(),
      walk(400, 498, 502, 498, 503, 497, 502, 600),
      ['0.7 lineCrossing leftToRight 1'],
    ],
    ['who stops on the line has not crossed', rule(), walk(400, 500, 500, 450), []],
    [
      'beyond the ends',
      rule({
        line: [
          [0.5, 0.4],
          [0.5, 0],
        ],
      }),
      walk(400, 600),
      [],
    ],
    ['nobody follows the object', rule(), [frame(0, [{ x: 400, id: -1 }]), frame(0.1, [{ x: 600, id: -1 }])], []],
    ['a gap of seconds joins nothing', rule(), [frame(0, [{ x: 400 }]), frame(6, [{ x: 600 }])], []],
    [
      'two objects that change places',
      rule(),
      [frame(0, [{ x: 400 }, { x: 600, id: 2 }]), frame(0.1, [{ x: 600 }, { x: 400, id: 2 }])],
      ['0.1 lineCrossing leftToRight 1', '0.1 lineCrossing rightToLeft 2'],
    ],
    ['a clock that goes back is another scene', rule(), [frame(5, [{ x: 400 }]), frame(0, [{ x: 600 }])], []],
  ])('%s', (_name, given, frames, expected) => expect(told(given, frames)).toEqual(expected));

  test('totals survive another scene', () => {
    const stage = createInsightStage({ kind: 'rule', id: 'r', rule: rule() }, SOURCE);
    for (const one of walk(400, 600)) stage.process(one);
    stage.reset();
    const last = walk(600, 400)
      .map((one) => stage.process(one))
      .at(-1)!;
    expect(last.properties).toEqual({ 'r.leftToRight': '1', 'r.rightToLeft': '1' });
  });

  test('whichever way somebody walks, crossings alternate and their difference says where he is', () => {
    const xs = fc.array(fc.integer({ min: 0, max: 1000 }), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(xs, (list) => {
        const events = told(rule(), walk(...list)).map((line) => (line.includes('leftToRight') ? 1 : -1));
        for (const [index, way] of events.entries()) if (index > 0) expect(way).toBe(-events[index - 1]!);
        const clear = list.filter((x) => Math.abs(x - 500) >= 8);
        const [first, last] = [list[0]!, clear.at(-1)];
        if (last === undefined || Math.abs(first - 500) < 8 || Math.abs(list.at(-1)! - 500) < 8) return;
        const side = (x: number): number => (x >= 500 ? 1 : 0);
        expect(events.reduce((sum, way) => sum + way, 0)).toBe(side(last) - side(first));
      }),
    );
  });
});

describe('counter', () => {
  const rule = (more: Partial<Extract<Rule, { type: 'counter' }>> = {}): Rule => ({
    ...ALL,
    type: 'counter',
    windowSeconds: 0,
    ...more,
  });
  const counts = (given: Rule, frames: readonly FrameInsights[]) => {
    const stage = createInsightStage({ kind: 'rule', id: 'r', rule: given }, SOURCE);
    return frames.map((one) => stage.process(one).properties!['r.count']);
  };

  test('different objects, each once, also one that comes back', () => {
    const frames = [
      frame(0, [{ x: 1 }]),
      frame(1, [{ x: 1 }, { x: 2, id: 2 }]),
      frame(60, []),
      frame(61, [{ x: 1 }, { x: 9, id: -1 }]),
    ];
    expect(counts(rule(), frames)).toEqual(['1', '2', '2', '2']);
  });

  test('in an area only', () => {
    expect(counts(rule({ area: RIGHT }), walk(100, 600, 100))).toEqual(['0', '1', '1']);
  });

  test('in windows: told at the end of each by label, and one who stays counts in each', () => {
    const stage = createInsightStage({ kind: 'rule', id: 'r', rule: rule({ windowSeconds: 10 }) }, SOURCE);
    const events = [0, 5, 12, 35]
      .map((time) => stage.process(frame(time, [{ x: 1 }, { x: 2, id: time + 2, label: 'car' }])))
      .flatMap((one) => one.events ?? []);
    expect(events.map(({ properties }) => properties)).toEqual([
      { node: 'r', 'label.person': '1', 'label.car': '2', count: '3', seconds: '10' },
      { node: 'r', 'label.person': '1', 'label.car': '1', count: '2', seconds: '10' },
    ]);
  });
});

describe('speed', () => {
  const speeds = (frames: readonly FrameInsights[], more: Partial<Extract<Rule, { type: 'speed' }>> = {}) => {
    const stage = createInsightStage(
      { kind: 'rule', id: 'r', rule: { ...ALL, type: 'speed', overSeconds: 1, ...more } },
      SOURCE,
    );
    return frames.map((one) => stage.process(one).detections[0]?.motion);
  };
  const moving = Array.from({ length: 31 }, (_, index) => 100 + index * 10);

  test('pixels a second and where to, once half of the time has passed', () => {
    const found = speeds(walk(...moving));
    expect(found.slice(0, 5)).toEqual([undefined, undefined, undefined, undefined, undefined]);
    for (const motion of found.slice(5)) {
      expect(motion!.speed).toBeCloseTo(100, 6);
      expect(motion!.direction).toEqual({ x: 1, y: 0 });
    }
  });

  test('metres, where it is known how large a pixel is', () => {
    expect(speeds(walk(...moving), { metresPerPixel: 0.02 }).at(-1)!.speed).toBeCloseTo(2, 6);
  });

  test('one who stands', () =>
    expect(speeds(walk(...stay(500, 20))).at(-1)).toEqual({ speed: 0, direction: { x: 0, y: 0 } }));

  test('the same at any number of frames a second', () => {
    const at = (rate: number) =>
      speeds(Array.from({ length: rate * 3 }, (_, index) => frame(index / rate, [{ x: (index / rate) * 120 }]))).at(-1)!
        .speed;
    expect(at(5)).toBeCloseTo(120, 5);
    expect(at(100)).toBeCloseTo(120, 5);
  });
});

describe('every rule', () => {
  const rules: Rule[] = [
    { ...ALL, type: 'presence', area: RIGHT, holdSeconds: 0.2 },
    { ...ALL, type: 'dwell', area: RIGHT, seconds: 0.3, holdSeconds: 0.1 },
    { ...ALL, type: 'crowding', area: RIGHT, atLeast: 2, forSeconds: 0.1 },
    { ...ALL, type: 'lineCrossing', line: UPWARDS, direction: 'both' },
    { ...ALL, type: 'counter', windowSeconds: 0.5 },
    { ...ALL, type: 'speed', overSeconds: 0.5 },
  ];
  const place = fc.record({ x: fc.integer({ min: -100, max: 1100 }), id: fc.integer({ min: -1, max: 4 }) });
  const scene = fc
    .array(
      fc.record({ gap: fc.integer({ min: 1, max: 8 }), objects: fc.uniqueArray(place, { selector: ({ id }) => id }) }),
    )
    .map((steps) => {
      let time = 0;
      return steps.map(({ gap, objects }) => frame((time += gap) / 10, objects));
    });

  test.each(rules.map((rule) => [rule.type, rule] as const))(
    '%s: a replay says the same, byte for byte; ids are unique; the given frame stays as it is',
    (_type, rule) => {
      fc.assert(
        fc.property(scene, (frames) => {
          const before = JSON.stringify(frames);
          const run = () => {
            const stage = createInsightStage({ kind: 'rule', id: 'r', rule }, SOURCE);
            return frames.map((one) => stage.process(one));
          };
          const [first, again] = [run(), run()];
          expect(JSON.stringify(first)).toBe(JSON.stringify(again));
          expect(JSON.stringify(frames)).toBe(before);
          const ids = first.flatMap(({ events }) => (events ?? []).map(({ id }) => id));
          expect(new Set(ids).size).toBe(ids.length);
        }),
        { numRuns: 60 },
      );
    },
  );

  test.each(rules.map((rule) => [rule.type, rule] as const))(
    '%s: boxes that are none, and pictures without a size, do no harm',
    (_type, rule) => {
      const stage = createInsightStage({ kind: 'rule', id: 'r', rule }, SOURCE);
      const odd = frame(0, [{ x: Number.NaN }, { x: Number.POSITIVE_INFINITY, id: 2 }, { x: 600, id: 3 }]);
      expect(stage.process({ ...odd, width: 0, height: 0 }).detections).toHaveLength(3);
    },
  );
});

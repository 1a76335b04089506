import { describe, expect, test } from '@jest/globals';
import { UNTRACKED } from '../detection.ts';
import { Canvas, type PaintedPicture } from './canvas.ts';
import { parseColour, pictureBytes, type PixelFormat, type Rgb } from './layout.ts';
import { paintObjects, paintRegions, snippetTitle, trackTitle, type PaintedObject } from './paint.ts';

const FORMATS: readonly PixelFormat[] = ['rgb24', 'bgr24', 'gbrp', 'yuv420p'];

function blank(width: number, height: number, format: PixelFormat = 'rgb24', value = 0): PaintedPicture {
  return { data: new Uint8Array(pictureBytes(format, width, height)).fill(value), width, height, format };
}

/** The colour at a place, whatever the layout. */
function at({ data, width, height, format }: PaintedPicture, x: number, y: number): Rgb {
  const area = width * height;
  const pixel = y * width + x;
  const read = (...places: number[]): Rgb => places.map((place) => data[place]!) as unknown as Rgb;
  switch (format) {
    case 'rgb24':
      return read(3 * pixel, 3 * pixel + 1, 3 * pixel + 2);
    case 'bgr24':
      return read(3 * pixel + 2, 3 * pixel + 1, 3 * pixel);
    case 'gbrp':
      return read(2 * area + pixel, pixel, area + pixel);
    case 'yuv420p': {
      const half = (width + 1) >> 1;
      const chroma = area + (y >> 1) * half + (x >> 1);
      return read(pixel, chroma, chroma + half * ((height + 1) >> 1));
    }
  }
}

/** Where something was painted. */
function drawn(picture: PaintedPicture): string[] {
  return Array.from({ length: picture.height }, (_, y) =>
    Array.from({ length: picture.width }, (_, x) => (at(picture, x, y)[0] > 128 ? '#' : '.')).join(''),
  );
}

function object(change: Partial<PaintedObject> = {}): PaintedObject {
  const box = { left: 4, top: 12, width: 10, height: 6 };
  return { box, classId: 0, label: 'a', confidence: 0.5, trackingId: UNTRACKED, attributes: [], ...change };
}

describe('layouts', () => {
  test.each(FORMATS)('%s: a rectangle is where it belongs, its neighbours are as before', (format) => {
    const picture = blank(9, 7, format, 7);
    new Canvas(picture).fill(2, 2, 4, 2, [250, 120, 30]);
    const yuv = format === 'yuv420p';
    // By hand: 16 + (65.481 * 250 + 128.553 * 120 + 24.966 * 30) / 255 and so on.
    const colour = yuv ? [144, 69, 192] : [250, 120, 30];
    for (const [x, y] of [
      [2, 2],
      [5, 2],
      [2, 3],
      [5, 3],
    ] as const)
      expect(at(picture, x, y)).toEqual(colour);
    for (const [x, y] of [
      [1, 2],
      [6, 2],
      [2, 1],
      [2, 4],
    ] as const)
      expect(at(picture, x, y)).toEqual([7, 7, 7]);
    const touched = picture.data.filter((byte) => byte !== 7).length;
    expect(touched).toBe(yuv ? 8 + 2 * 2 : 3 * 8);
  });

  test('half of a colour is mixed once, shared samples too', () => {
    for (const format of FORMATS) {
      const picture = blank(4, 4, format, 100);
      const canvas = new Canvas(picture);
      canvas.mask(
        { width: 1, height: 1, data: Uint8Array.of(255) },
        { left: 0, top: 0, width: 4, height: 4 },
        [0, 0, 0],
      );
      const black = format === 'yuv420p' ? [16, 128, 128] : [0, 0, 0];
      const mixed = black.map((one) => Math.round(100 + 0.45 * (one - 100)));
      expect([at(picture, 0, 0), at(picture, 3, 3)]).toEqual([mixed, mixed]);
    }
  });

  test('too few bytes are refused', () => {
    expect(() => new Canvas({ ...blank(4, 4), width: 5 })).toThrow('48 bytes are no picture of 5x4 in rgb24');
  });

  test('colours are read from text', () => {
    expect(['#ff8000', '#F80', 'red', '#12', ''].map(parseColour)).toEqual([
      [255, 128, 0],
      [255, 136, 0],
      undefined,
      undefined,
      undefined,
    ]);
  });
});

describe('shapes', () => {
  test('letters, on a bar that stays inside of the picture', () => {
    const picture = blank(20, 16);
    new Canvas(picture).label('T1', -5, -5, [255, 255, 255]);
    // Dark letters on a light bar of 13 by 10.
    expect(drawn(picture).slice(0, 10)).toEqual([
      '#############.......',
      '#.....###.###.......',
      '#.#.#.##..###.......',
      '###.#####.###.......',
      '###.#####.###.......',
      '###.#####.###.......',
      '###.#####.###.......',
      '###.####...##.......',
      '#############.......',
      '#############.......',
    ]);
  });

  test('letters with accents become their base letters, others a question mark', () => {
    const [accent, plain, foreign, mark] = ['é', 'e', '車', '?'].map((text) => {
      const picture = blank(12, 12);
      new Canvas(picture).label(text, 0, 0, [255, 255, 255]);
      return drawn(picture);
    });
    expect(accent).toEqual(plain);
    expect(foreign).toEqual(mark);
    expect(plain).not.toEqual(mark);
  });

  test('frames that leave the picture are cut off, those thinner than their edge are filled', () => {
    const picture = blank(20, 8);
    const canvas = new Canvas(picture);
    canvas.frame(-10, 4, 15, 100, 1, [255, 0, 0]);
    canvas.frame(8, 1, 6, 1, 3, [255, 0, 0]);
    expect(drawn(picture)).toEqual([
      '....................',
      '........######......',
      '....................',
      '....................',
      '#####...............',
      '....#...............',
      '....#...............',
      '....#...............',
    ]);
  });

  test('masks are stretched over their box', () => {
    const picture = blank(20, 3, 'rgb24', 200);
    const mask = { width: 2, height: 1, data: Uint8Array.of(255, 0) };
    new Canvas(picture).mask(mask, { left: 0, top: 0, width: 24, height: 2 }, [0, 0, 0]);
    expect(drawn(picture)).toEqual(['............########', '............########', '####################']);
  });

  test.each([
    ['level', { x: 1, y: 1 }, { x: 6, y: 1 }, ['........', '.######.', '........', '........']],
    ['down', { x: 2, y: 0 }, { x: 2, y: 3 }, ['..#.....', '..#.....', '..#.....', '..#.....']],
    ['slanting, from outside', { x: -2, y: -2 }, { x: 9, y: 9 }, ['#.......', '.#......', '..#.....', '...#....']],
    ['a point', { x: 3, y: 2 }, { x: 3, y: 2 }, ['........', '........', '...#....', '........']],
    ['outside', { x: -5, y: 9 }, { x: 20, y: 8 }, ['........', '........', '........', '........']],
    ['no number', { x: Number.NaN, y: 1 }, { x: 6, y: 1 }, ['........', '........', '........', '........']],
    ['endless', { x: -Infinity, y: 2 }, { x: Infinity, y: 2 }, ['........', '........', '########', '........']],
  ])('a line that is %s', (_, from, to, wanted) => {
    const picture = blank(8, 4);
    new Canvas(picture).line(from, to, 1, [255, 255, 255]);
    expect(drawn(picture)).toEqual(wanted);
  });

  test('letters and edges grow with the picture', () => {
    for (const [height, text, line] of [
      [90, 1, 10],
      [480, 1, 10],
      [720, 2, 20],
      [1080, 3, 30],
      [2160, 5, 50],
    ] as const) {
      const canvas = new Canvas(blank((height * 16) / 9, height));
      expect([canvas.textSize, canvas.lineHeight]).toEqual([text, line]);
    }
  });
});

describe('objects', () => {
  test('a box with its title above', () => {
    const picture = blank(40, 20);
    paintObjects(new Canvas(picture), [object()], { colour: [255, 255, 255], title: () => '-' });
    expect(drawn(picture).map((row) => row.slice(3, 16))).toEqual([
      '.............',
      '.............',
      '.#######.....',
      '.#######.....',
      '.#######.....',
      '.#######.....',
      '.#.....#.....',
      '.#######.....',
      '.#######.....',
      '.#######.....',
      '.#######.....',
      '.#######.....',
      '.##########..',
      '.##########..',
      '.##......##..',
      '.##......##..',
      '.##########..',
      '.##########..',
      '.............',
      '.............',
    ]);
  });

  test('points and joints that were found', () => {
    const picture = blank(20, 8);
    const keypoints = [
      { x: 3, y: 4, score: 0.5 },
      { x: 12, y: 4, score: 0 },
    ];
    const one = object({ box: { left: 0, top: 0, width: 0, height: 0 }, points: [{ x: 17, y: 2 }], keypoints });
    paintObjects(new Canvas(picture), [one], { title: () => '' });
    expect(drawn(picture)).toEqual([
      '...............####.',
      '...............####.',
      '.####..........####.',
      '.####..........####.',
      '.####...............',
      '.####...............',
      '....................',
      '....................',
    ]);
  });

  test('titles', () => {
    const attribute = { name: 'colour', label: 'blue', classId: 1, confidence: 0.7, componentId: 2 };
    const one = object({
      label: 'car',
      confidence: 0.8765,
      trackingId: 7,
      attributes: [attribute],
      text: { text: 'AB 1' },
    });
    expect(trackTitle(one)).toBe('car #7 88% blue "AB 1"');
    expect(snippetTitle(one)).toBe('car (0.88), colour: blue');
    expect(snippetTitle(object({ label: 'bus', confidence: 0.9 }))).toBe('bus (0.9)');
  });

  test('boxes outside, empty or not made of numbers leave the picture as it is', () => {
    const picture = blank(40, 20);
    const before = Uint8Array.from(picture.data);
    const box = (left: number, top: number, width: number, height: number): PaintedObject =>
      object({ box: { left, top, width, height }, mask: { width: 1, height: 1, data: Uint8Array.of(255) } });
    paintObjects(new Canvas(picture), [
      box(Number.NaN, 0, 10, 10),
      box(0, 0, Number.NaN, 10),
      box(0, 0, 10, Infinity - Infinity),
      box(100, 100, 10, 10),
      box(-50, 2, 10, 10),
      box(5, 5, -10, -10),
    ]);
    expect(picture.data).toEqual(before);
  });

  test('ten thousand boxes over the whole picture, with masks and long names, take bounded time', () => {
    const picture = blank(192, 108, 'gbrp');
    const huge = object({
      box: { left: -Infinity, top: -1e12, width: Infinity, height: 1e13 },
      label: 'x'.repeat(100_000),
    });
    const whole = object({
      box: { left: 0, top: 0, width: 192, height: 108 },
      label: 'y'.repeat(1000),
      mask: { width: 1, height: 1, data: Uint8Array.of(255) },
    });
    const began = process.cpuUsage();
    paintObjects(new Canvas(picture), [
      ...Array<PaintedObject>(5000).fill(whole),
      ...Array<PaintedObject>(5000).fill(huge),
    ]);
    const { user, system } = process.cpuUsage(began);
    expect((user + system) / 1000).toBeLessThan(2000);
    expect(at(picture, 100, 60)).not.toEqual([0, 0, 0]);
  });
});

test('regions and lines with their names', () => {
  const picture = blank(100, 60);
  paintRegions(new Canvas(picture), [
    {
      label: '',
      color: '#ffffff',
      coordinates: [
        [0.1, 0.5],
        [0.3, 0.5],
        [0.3, 0.8],
        [0.1, 0.8],
      ],
    },
    {
      label: 'door',
      color: 'nonsense',
      coordinates: [
        [0.5, 0.25],
        [0.9, 0.25],
      ],
    },
    { label: 'nowhere', color: '#ffffff', coordinates: [] },
    {
      label: '',
      color: '#ffffff',
      coordinates: [
        [Number.NaN, 0],
        [1, 1],
      ],
    },
  ]);
  expect(drawn(picture)[29]!.slice(8, 34)).toBe('.######################...');
  expect(drawn(picture)[40]!.slice(8, 34)).toBe('.##..................##...');
  expect(drawn(picture)[14]!.slice(48)).toMatch(/^\.#{20}/);
  expect(at(picture, 95, 55)).toEqual([0, 0, 0]);
});

import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from '@jest/globals';
import { createBench, describeWithPython, floats } from './support.ts';

const PAGE = readFileSync(path.resolve(import.meta.dirname, '../../../docs/custom-parsers.md'), 'utf8');
const bench = createBench();

const block = (language: string): string => new RegExp(`\`\`\`${language}\n([\\s\\S]*?)\`\`\``).exec(PAGE)![1]!;

describeWithPython('the example of docs/custom-parsers.md', () => {
  test.each([
    ['python', 'python'],
    ['js', 'js'],
  ] as const)('in %s', async (language, kind) => {
    const parser = await bench.open(kind, block(language));
    expect(parser.info).toMatchObject({ name: 'rows', labels: ['person', 'car'] });
    const rows = [0.25, 0.5, 0.5, 1, 0.75, 1, 0, 0, 1, 1, 0.25, 0, 0, 0, 0.5, 0.5, 0.625, 0];
    expect(await parser.read([floats('rows', [1, 3, 6], rows)])).toEqual({
      detections: [
        { classId: 1, label: 'car', confidence: 0.75, box: { left: 320, top: 360, width: 320, height: 360 } },
        { classId: 0, label: 'person', confidence: 0.625, box: { left: 0, top: 0, width: 640, height: 360 } },
      ],
      message: { objects: 2 },
    });
    expect(await parser.read([floats('other', [1])])).toEqual({ detections: [] });
  });
});

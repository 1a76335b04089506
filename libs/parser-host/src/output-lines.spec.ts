import { describe, expect, test } from '@jest/globals';
import { OutputLines } from './output-lines.ts';

function collect(): { lines: string[]; output: OutputLines; clock: { ms: number } } {
  const lines: string[] = [];
  const clock = { ms: 0 };
  return {
    lines,
    clock,
    output: new OutputLines(
      (line) => lines.push(line),
      () => clock.ms,
    ),
  };
}

describe('OutputLines', () => {
  test('joins pieces, leaves out empty lines, shows the rest at the end', () => {
    const { lines, output } = collect();
    for (const piece of ['a', 'b\n\n \nc\td\u001b[31m\n', 'rest']) output.push(Buffer.from(piece));
    expect(lines).toEqual(['ab', 'c d [31m']);
    output.end();
    expect(lines).toEqual(['ab', 'c d [31m', 'rest']);
  });

  test('hides credentials and cuts long lines, also one without an end', () => {
    const { lines, output } = collect();
    output.push(Buffer.from('rtsp://user:secret@camera/1\n'));
    for (let i = 0; i < 100; i += 1) output.push(Buffer.from('x'.repeat(1000)));
    output.end();
    expect(lines[0]).not.toContain('secret');
    expect(lines[1]).toBe(`${'x'.repeat(500)}...`);
    expect(output.tail).toHaveLength(8192);
    output.forget();
    expect(output.tail).toBe('');
  });

  test('at most 40 at once and 10 a second; says how many were left out', () => {
    const { lines, output, clock } = collect();
    output.push(Buffer.from('line\n'.repeat(1000)));
    expect(lines).toHaveLength(40);
    clock.ms = 1000;
    output.push(Buffer.from('line\n'.repeat(20)));
    expect(lines).toHaveLength(50);
    expect(lines[40]).toBe('line (960 lines before it are not shown)');
  });
});

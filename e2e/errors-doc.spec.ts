import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { REPOSITORY } from './support/assets.ts';

const CODE = "'([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)'";

/** The ways a code comes into the world; in an `errors.ts`, every literal that looks like one counts. */
const MAKERS = [`new VantageError\\(\\s*${CODE}`, `\\bcode: ${CODE}`, `\\?\\? ${CODE}`, `[pP]roblem\\(\\s*${CODE}`];

/** First arguments that are no literal: each of them passes a code on that was made elsewhere. */
const PASSED_ON = /^(code|message\.code|problem\.code)$/;

interface Source {
  /** `libs/media` */
  readonly room: string;
  readonly file: string;
  readonly text: string;
}

interface Row {
  readonly room: string;
  readonly code: string;
  readonly cells: readonly string[];
}

function sources(): Source[] {
  return ['libs', 'modules', 'tools'].flatMap((floor) =>
    readdirSync(path.join(REPOSITORY, floor)).flatMap((name) => sourcesOf(`${floor}/${name}`)),
  );
}

function sourcesOf(room: string): Source[] {
  const folder = path.join(REPOSITORY, room, 'src');
  let files: string[];
  try {
    files = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  } catch {
    return [];
  }
  return files
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.spec.ts') && !file.includes('generated'))
    .map((file) => ({ room, file, text: readFileSync(path.join(folder, file), 'utf8') }));
}

function codesIn({ file, text }: Source): string[] {
  const patterns = path.basename(file) === 'errors.ts' ? [CODE] : MAKERS;
  return patterns.flatMap((pattern) => [...text.matchAll(new RegExp(pattern, 'g'))].map((match) => match[1]!));
}

function rows(document: string): Row[] {
  let room = '';
  return document.split('\n').flatMap((line) => {
    room = /^## (\S+)$/.exec(line)?.[1] ?? room;
    if (!/^\| *`/.test(line)) return [];
    const cells = line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim());
    return [{ room, code: cells[0]!.replaceAll('`', ''), cells }];
  });
}

describe('docs/errors.md', () => {
  const all = sources();
  const table = rows(readFileSync(path.join(REPOSITORY, 'docs/errors.md'), 'utf8'));
  const made = new Set(all.flatMap((source) => codesIn(source).map((code) => `${source.room} ${code}`)));
  const written = table.map(({ room, code }) => `${room} ${code}`);

  test('the sources make codes in many rooms', () => {
    expect(made.size).toBeGreaterThan(90);
    expect(new Set(all.map(({ room }) => room)).size).toBeGreaterThan(12);
  });

  test('every code that the sources make is explained', () => {
    expect([...made].filter((code) => !written.includes(code)).sort()).toEqual([]);
  });

  test('every code that is explained is made', () => {
    expect(written.filter((code) => !made.has(code)).sort()).toEqual([]);
  });

  test('no code is written twice in a room, and each row says where, what and what to do', () => {
    expect(written.filter((code, at) => written.indexOf(code) !== at)).toEqual([]);
    expect(table.filter(({ cells }) => cells.length !== 4 || cells.includes('')).map(({ code }) => code)).toEqual([]);
  });

  test('a code is a literal where it is made, so that this test can find it', () => {
    const hidden = all.flatMap(({ room, file, text }) =>
      [...text.matchAll(/new VantageError\(\s*([^,)]+)/g)]
        .map((match) => match[1]!.trim())
        .filter((first) => !new RegExp(`^${CODE}$`).test(first) && !PASSED_ON.test(first))
        .map((first) => `${room}/src/${file}: ${first}`),
    );
    expect(hidden).toEqual([]);
  });
});

import path from 'node:path';
import type { AnyConfig, PropertyUse } from '@vantage/deepstream';
import { table } from '../table.ts';
import { describeKind } from './explain.ts';
import { plain, whyNoModel } from './json.ts';

/** A value longer than this is cut: paths and lists can be long. */
const MAX_VALUE = 60;

/** What a file says, for people: what it is, each property with its place, the problems, the spec. */
export function configAsTable(config: AnyConfig): string {
  const { fileName, properties, problems } = config;
  const used = properties.filter(({ use }) => use === 'used').length;
  const notModel = whyNoModel(config);
  const head = [
    `${fileName}: ${describeKind(config)}`,
    ...(notModel === undefined ? [] : [`not a model configuration: ${notModel}`]),
    ...('runnable' in config ? [`model: ${config.runnable.sentence}`] : []),
    ...(config.kind === 'low-level-tracker' ? [`runs as ${config.spec.runsAs}: ${config.spec.runsAsReason}`] : []),
    '',
    `${properties.length} properties, ${used} used, ${properties.length - used} not used`,
  ];
  const found = problems.map(({ severity, file, line, message }) => `${severity} ${place(file, line)}: ${message}`);
  const tail = [...section('problems', found), ...section('spec', specLines(config.spec))];
  // The table is coloured and therefore cleaned cell by cell.
  return `${[...head.map(printable), ...propertyTable(properties), ...tail.map(printable)].join('\n')}\n`;
}

function propertyTable(properties: readonly PropertyUse[]): string[] {
  if (properties.length === 0) return [];
  const rows = properties.map(({ file, line, group, key, value, reason }) => [
    place(path.basename(file), line),
    group === '' ? key : `[${group}] ${key}`,
    shorten(value),
    reason === undefined ? 'used' : `not used here, because ${reason}`,
  ]);
  return table(
    ['where', 'property', 'value', 'use'],
    rows.map((row) => row.map(printable)),
  ).map((line) => `  ${line}`);
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ['', title, ...lines.map((line) => `  ${line}`)];
}

/** Said at the top, or property by property. */
const SAID_ELSEWHERE = ['kind', 'fileName', 'runsAs', 'runsAsReason', 'values'];

/** One line a field; what the file leaves open is left out. */
function specLines(spec: AnyConfig['spec']): string[] {
  return Object.entries(spec ?? {})
    .filter(([key, value]) => value !== undefined && !SAID_ELSEWHERE.includes(key))
    .map(([key, value]) => `${key}: ${JSON.stringify(value, plain)}`);
}

function place(file: string, line: number): string {
  return line > 0 ? `${file}:${line}` : file;
}

function shorten(value: string): string {
  return value.length > MAX_VALUE ? `${value.slice(0, MAX_VALUE)}...` : value;
}

/** A file may hold what would steer the terminal. */
function printable(line: string): string {
  return line.replace(/[\u0000-\u0008\u000B-\u001F\u007F-\u009F\u2028\u2029]/g, '?');
}

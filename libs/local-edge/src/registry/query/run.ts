import { createHash } from 'node:crypto';
import { isTwinObject } from '@vantage/contracts';
import { invalidArgument } from '../../errors.ts';
import type { Projection, Query } from './ast.ts';
import { matches, valueAt } from './evaluate.ts';
import type { Value } from './functions.ts';

/** Something that can be queried. `key` orders the results, and stays the same from page to page. */
export interface Row {
  readonly key: string;
  document(): object;
}

export interface Page {
  readonly items: readonly unknown[];
  /** Goes back with the request for the next page; undefined: this was the last one. */
  readonly continuation: string | undefined;
}

export const MAX_PAGE_SIZE = 1000;
export const DEFAULT_PAGE_SIZE = 100;

/** Where the last page ended: the key of its last row, or for groups their number; and how many TOP still allows. */
interface Position {
  readonly after?: string;
  readonly offset?: number;
  readonly left?: number;
}

/**
 * One page of a query's results. Rows that come and go between two pages shift nothing: a page begins after the key at
 * which the last one ended. `rows` are in the order of their keys.
 * @throws VantageError EDGE_INVALID_ARGUMENT for a continuation that is not one of this query
 */
export function runQuery(
  query: Query,
  rows: readonly Row[],
  pageSize: number = DEFAULT_PAGE_SIZE,
  continuation?: string,
): Page {
  const from = continuation === undefined ? {} : readContinuation(query, continuation);
  const left = from.left ?? query.top ?? Number.POSITIVE_INFINITY;
  const grouped = query.groupBy.length > 0 || (query.select !== '*' && query.select.some(isAggregate));
  return grouped ? groupPage(query, rows, pageSize, from, left) : rowPage(query, rows, pageSize, from, left);
}

/** How many rows fit; for metrics. */
export function countRows(query: Query, rows: readonly Row[]): number {
  return rows.filter((row) => fits(query, row.document())).length;
}

const isAggregate = (item: Projection): boolean => item.kind === 'aggregate';
const fits = ({ where }: Query, document: object): boolean => where === undefined || matches(where, document);

function rowPage(query: Query, rows: readonly Row[], pageSize: number, from: Position, left: number): Page {
  const items: unknown[] = [];
  let last = '';
  const { after } = from;
  for (const row of rows) {
    if (after !== undefined && row.key <= after) continue;
    const document = row.document();
    if (!fits(query, document)) continue;
    if (items.length === left) break;
    if (items.length === pageSize) {
      return { items, continuation: writeContinuation(query, { after: last, left: left - items.length }) };
    }
    items.push(query.select === '*' ? document : project(query.select, document));
    last = row.key;
  }
  return { items, continuation: undefined };
}

function groupPage(query: Query, rows: readonly Row[], pageSize: number, from: Position, left: number): Page {
  const groups = new Map<string, object[]>();
  // Without GROUP BY all rows are one group, also when there are none.
  if (query.groupBy.length === 0) groups.set('[]', []);
  for (const row of rows) {
    const document = row.document();
    if (!fits(query, document)) continue;
    const key = JSON.stringify(query.groupBy.map((path) => valueAt(document, path) ?? null));
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [document]);
    else group.push(document);
  }
  const offset = from.offset ?? 0;
  const all = [...groups.values()];
  const items = all
    .slice(offset, offset + Math.min(pageSize, left))
    .map((documents) => aggregate(query.select === '*' ? [] : query.select, documents));
  const next = { offset: offset + items.length, left: left - items.length };
  const more = next.offset < all.length && next.left > 0;
  return { items, continuation: more ? writeContinuation(query, next) : undefined };
}

function project(select: readonly Projection[], document: object): object {
  return Object.fromEntries(
    select
      .map((item): [string, Value] => [item.as, item.kind === 'path' ? valueAt(document, item.path) : undefined])
      .filter(([, value]) => value !== undefined),
  );
}

function aggregate(select: readonly Projection[], documents: readonly object[]): object {
  const entries = select.map((item): [string, Value] => {
    if (item.kind === 'path') return [item.as, valueAt(documents[0], item.path)];
    const { name, path } = item;
    if (path === undefined) return [item.as, documents.length];
    const values = documents.map((document) => valueAt(document, path)).filter((value) => value !== undefined);
    if (name === 'count') return [item.as, values.length];
    return [
      item.as,
      combine(
        name,
        values.filter((value) => typeof value === 'number'),
      ),
    ];
  });
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
}

function combine(name: 'sum' | 'avg' | 'min' | 'max', numbers: readonly number[]): number | undefined {
  if (numbers.length === 0) return undefined;
  const sum = numbers.reduce((total, value) => total + value, 0);
  if (name === 'sum') return sum;
  if (name === 'avg') return sum / numbers.length;
  return numbers.reduce((best, value) => (name === 'min' ? Math.min(best, value) : Math.max(best, value)));
}

function hashOf(query: Query): string {
  return createHash('sha256').update(JSON.stringify(query)).digest('base64url').slice(0, 12);
}

function writeContinuation(query: Query, { left, ...position }: Position): string {
  const count = left === undefined || !Number.isFinite(left) ? {} : { left };
  return Buffer.from(JSON.stringify({ query: hashOf(query), ...position, ...count })).toString('base64url');
}

function readContinuation(query: Query, text: string): Position {
  let stored: unknown;
  try {
    stored = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
  } catch (error) {
    throw invalidArgument('x-ms-continuation is not a token of this hub', error);
  }
  if (!isTwinObject(stored)) throw invalidArgument('x-ms-continuation is not a token of this hub');
  if (stored['query'] !== hashOf(query)) throw invalidArgument('x-ms-continuation belongs to another query');
  const { after, offset, left } = stored;
  return {
    ...(typeof after === 'string' ? { after } : {}),
    ...(Number.isSafeInteger(offset) && Number(offset) >= 0 ? { offset: Number(offset) } : {}),
    ...(Number.isSafeInteger(left) && Number(left) >= 0 ? { left: Number(left) } : {}),
  };
}

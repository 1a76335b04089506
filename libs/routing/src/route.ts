import { routeSinkError } from './errors.ts';
import { type Expression, TokenReader } from './parser.ts';

/** Where a route leads, as written. */
export type SinkText =
  | { readonly type: 'system'; readonly name: string }
  | { readonly type: 'function'; readonly name: string; readonly argument: string };

/** A parsed route whose sink is not resolved yet. */
export interface RouteText {
  /** Normalised as edgeHub does: trailing `*` removed, exactly one trailing slash. */
  readonly source: string;
  /** Verbatim; `true` where there is no WHERE. */
  readonly condition: string;
  readonly sink: SinkText;
}

/** The two things edgeHub can deliver to. */
export type Sink =
  { readonly kind: 'upstream' } | { readonly kind: 'module'; readonly module: string; readonly input: string };

export interface ParsedRoute {
  readonly source: string;
  readonly condition: string;
  readonly sink: Sink;
}

/**
 * Parses the grammar of Route.g4: `[SELECT *] FROM <path> [WHERE <condition>] INTO <sink>`. The condition must parse;
 * whether it compiles is {@link compileCondition}'s to say.
 * @throws VantageError ROUTE_SYNTAX
 */
export function parseRouteText(text: string): RouteText {
  const { source, condition, sink } = readRoute(text);
  return { source, condition, sink };
}

/** A route with what only a compiler wants to know of it. */
export interface RouteSyntax extends RouteText {
  /** Undefined where there is no WHERE. Its columns count from the start of the route. */
  readonly expression: Expression | undefined;
  /** Counts from 1. */
  readonly sinkColumn: number;
}

/** @throws VantageError ROUTE_SYNTAX */
export function readRoute(text: string): RouteSyntax {
  const reader = new TokenReader(text);
  if (reader.accept('SELECT')) reader.expect('*', "'*' after SELECT");
  reader.expect('FROM', 'FROM');
  const source = normalizeSource(readPath(reader));
  const { condition, expression } = reader.accept('WHERE') ? readCondition(reader) : ALWAYS;
  reader.expect('INTO', 'INTO');
  const sinkColumn = reader.current.start + 1;
  const sink = readSink(reader);
  reader.expect('EOF', 'the end of the route');
  return { source, condition, sink, expression, sinkColumn };
}

/**
 * Parses a route and resolves its sink.
 * @throws VantageError ROUTE_SYNTAX, ROUTE_SINK
 */
export function parseRoute(text: string): ParsedRoute {
  const { source, condition, sink, sinkColumn } = readRoute(text);
  return { source, condition, sink: resolveSink(sink, sinkColumn) };
}

/**
 * Resolves a sink as edgeHub's EndpointFactory does: `$upstream`, or `BrokeredEndpoint` with a path of exactly four
 * segments, of which the second is the module and the fourth its input.
 * @param column - Where in its route it stands, for the message.
 * @throws VantageError ROUTE_SINK
 */
export function resolveSink(sink: SinkText, column = 1): Sink {
  const name = sink.name.toLowerCase();
  if (sink.type === 'system') {
    if (name === '$upstream') return { kind: 'upstream' };
    throw routeSinkError(`system endpoint '${sink.name}' is not supported; only $upstream is`, column);
  }
  if (name !== 'brokeredendpoint') {
    throw routeSinkError(`endpoint function '${sink.name}' is not supported; only BrokeredEndpoint is`, column);
  }
  const path = sink.argument.trim().replace(/^\//, '').replace(/\/$/, '');
  const [, module, , input, ...rest] = path.split('/');
  if (!module || !input || rest.length > 0) {
    throw routeSinkError(`'${sink.argument}' is not of the form /modules/<module>/inputs/<input>`, column);
  }
  return { kind: 'module', module, input };
}

/** Trailing `*` removed, exactly one trailing slash (edgeHub's CustomMessageSource). */
export function normalizeSource(path: string): string {
  return `${path.trim().replace(/\*+$/, '').replace(/\/+$/, '')}/`;
}

/** Whether a message source is covered by a normalised FROM path: a prefix test that ignores case. */
export function sourceMatches(pattern: string, messageSource: string): boolean {
  return normalizeSource(messageSource).toLowerCase().startsWith(normalizeSource(pattern).toLowerCase());
}

function readPath(reader: TokenReader): string {
  let path = '';
  do {
    reader.expect('/', "'/'");
    if (!reader.is('ID') && !reader.is('*')) throw reader.unexpected("a name or '*'");
    path += `/${reader.take().text}`;
  } while (reader.is('/'));
  return path;
}

const ALWAYS = { condition: 'true', expression: undefined };

function readCondition(reader: TokenReader): { condition: string; expression: Expression } {
  const { start } = reader.current;
  const expression = reader.expression();
  return { condition: reader.text.slice(start, reader.previous?.end), expression };
}

function readSink(reader: TokenReader): SinkText {
  if (reader.is('SYS_PROP')) return { type: 'system', name: reader.take().text };
  const name = reader.expect('ID', '$upstream or BrokeredEndpoint("...")').text;
  reader.expect('(', "'('");
  const argument = reader.expect('STRING', 'a quoted path').text.slice(1, -1);
  reader.expect(')', "')'");
  return { type: 'function', name, argument };
}

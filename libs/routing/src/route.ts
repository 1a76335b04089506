import { routeSinkError } from './errors.ts';
import { TokenReader } from './parser.ts';

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
  const reader = new TokenReader(text);
  if (reader.accept('SELECT')) reader.expect('*', "'*' after SELECT");
  reader.expect('FROM', 'FROM');
  const source = normalizeSource(readPath(reader));
  const condition = reader.accept('WHERE') ? readCondition(reader) : 'true';
  reader.expect('INTO', 'INTO');
  const sink = readSink(reader);
  reader.expect('EOF', 'the end of the route');
  return { source, condition, sink };
}

/**
 * Parses a route and resolves its sink.
 * @throws VantageError ROUTE_SYNTAX, ROUTE_SINK
 */
export function parseRoute(text: string): ParsedRoute {
  const { source, condition, sink } = parseRouteText(text);
  return { source, condition, sink: resolveSink(sink) };
}

/**
 * Resolves a sink as edgeHub's EndpointFactory does: `$upstream`, or `BrokeredEndpoint` with a path of exactly four
 * segments, of which the second is the module and the fourth its input.
 * @throws VantageError ROUTE_SINK
 */
export function resolveSink(sink: SinkText): Sink {
  const name = sink.name.toLowerCase();
  if (sink.type === 'system') {
    if (name === '$upstream') return { kind: 'upstream' };
    throw routeSinkError(`system endpoint '${sink.name}' is not supported; only $upstream is`);
  }
  if (name !== 'brokeredendpoint') {
    throw routeSinkError(`endpoint function '${sink.name}' is not supported; only BrokeredEndpoint is`);
  }
  const path = sink.argument.trim().replace(/^\//, '').replace(/\/$/, '');
  const [, module, , input, ...rest] = path.split('/');
  if (!module || !input || rest.length > 0) {
    throw routeSinkError(`'${sink.argument}' is not of the form /modules/<module>/inputs/<input>`);
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

function readCondition(reader: TokenReader): string {
  const { start } = reader.current;
  reader.expression();
  return reader.text.slice(start, reader.previous?.end);
}

function readSink(reader: TokenReader): SinkText {
  if (reader.is('SYS_PROP')) return { type: 'system', name: reader.take().text };
  const name = reader.expect('ID', '$upstream or BrokeredEndpoint("...")').text;
  reader.expect('(', "'('");
  const argument = reader.expect('STRING', 'a quoted path').text.slice(1, -1);
  reader.expect(')', "')'");
  return { type: 'function', name, argument };
}

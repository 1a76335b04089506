import { VantageError } from '@vantage/contracts';
import { type CompiledCondition, compileCondition, compileParsed } from './compiler.ts';
import { type RouteSyntax, type RouteText, readRoute, resolveSink } from './route.ts';

/** What is wrong with a route or condition. */
export interface RouteMistake {
  readonly code: string;
  /** Counts from 1 in the text that was given. */
  readonly column: number;
  readonly message: string;
}

/** A route as far as it could be understood. */
export interface RouteCheck {
  /** Absent when the text is no route at all. */
  readonly route?: RouteText;
  /** Absent when the condition does not compile. */
  readonly condition?: CompiledCondition;
  /** Syntax, then the condition's types, then the sink; empty when edgeHub would take the route and can match it. */
  readonly mistakes: readonly RouteMistake[];
}

/**
 * Looks at everything in a route at once, also at what edgeHub finds out only when it compiles the condition and then
 * just logs. Never throws for what the text says.
 */
export function checkRoute(text: string): RouteCheck {
  const mistakes: RouteMistake[] = [];
  const attempt = <T>(action: () => T): T | undefined => {
    try {
      return action();
    } catch (error) {
      mistakes.push(mistakeOf(error));
      return undefined;
    }
  };
  const syntax = attempt(() => readRoute(text));
  if (syntax === undefined) return { mistakes };
  const condition = attempt(() => compileSyntax(syntax, text));
  attempt(() => resolveSink(syntax.sink, syntax.sinkColumn));
  const { source, condition: written, sink } = syntax;
  return {
    route: { source, condition: written, sink },
    ...(condition === undefined ? {} : { condition }),
    mistakes,
  };
}

/** The same for a condition by itself. */
export function checkCondition(text: string): Pick<RouteCheck, 'condition' | 'mistakes'> {
  try {
    return { condition: compileCondition(text), mistakes: [] };
  } catch (error) {
    return { mistakes: [mistakeOf(error)] };
  }
}

function compileSyntax({ condition, expression }: RouteSyntax, text: string): CompiledCondition {
  return expression === undefined ? compileCondition(condition) : compileParsed(condition, expression, text);
}

function mistakeOf(error: unknown): RouteMistake {
  if (!VantageError.is(error)) throw error;
  const column = error.details?.['column'];
  return { code: error.code, column: typeof column === 'number' ? column : 1, message: error.message };
}

/** What a query reads. */
export const CONTAINERS = ['devices', 'devices.modules', 'devices.jobs'] as const;
export type Container = (typeof CONTAINERS)[number];

/** Names from the document's root: `tags.site` is `['tags', 'site']`. */
export type Path = readonly string[];

export type BinaryOperator = 'and' | 'or' | '=' | '!=' | '<' | '<=' | '>' | '>=' | '+' | '-' | '*' | '/' | '%';

/** A condition or a part of one. */
export type Expression =
  | { readonly kind: 'literal'; readonly value: string | number | boolean | null }
  | { readonly kind: 'path'; readonly path: Path }
  | { readonly kind: 'not' | 'negate'; readonly operand: Expression }
  | {
      readonly kind: 'binary';
      readonly operator: BinaryOperator;
      readonly left: Expression;
      readonly right: Expression;
    }
  | {
      readonly kind: 'in';
      readonly operand: Expression;
      readonly list: readonly Expression[];
      readonly negated: boolean;
    }
  | { readonly kind: 'call'; readonly name: string; readonly args: readonly Expression[] };

export type AggregateName = 'count' | 'sum' | 'avg' | 'min' | 'max';

/** One thing that is selected, and the name it gets in a result. */
export type Projection =
  | { readonly kind: 'path'; readonly path: Path; readonly as: string }
  | {
      readonly kind: 'aggregate';
      readonly name: AggregateName;
      readonly path: Path | undefined;
      readonly as: string;
    };

export interface Query {
  readonly container: Container;
  /** Most results of all pages together. */
  readonly top: number | undefined;
  readonly select: '*' | readonly Projection[];
  readonly where: Expression | undefined;
  readonly groupBy: readonly Path[];
}

import type { TwinObject } from '@vantage/contracts';
import type { Expression } from '../query/ast.ts';

/** What a configuration is for: modules of edge devices, the twin of a device, or of a module. */
export type ConfigurationKind = 'edge' | 'device' | 'module';

/** A configuration (a "deployment at scale") as it is stored. */
export interface Configuration {
  readonly id: string;
  readonly schemaVersion: string;
  readonly labels: Readonly<Record<string, string>>;
  /** One of `modulesContent`, `deviceContent` and `moduleContent`, or empty. */
  readonly content: TwinObject;
  readonly targetCondition: string;
  readonly priority: number;
  /** Custom metrics: a query by name. */
  readonly metricQueries: Readonly<Record<string, string>>;
  readonly createdTimeUtc: string;
  /** Orders configurations that were created in the same millisecond. */
  readonly sequence: number;
  readonly lastUpdatedTimeUtc: string;
  readonly etag: string;
}

/** Whom a configuration is for. */
export interface Target {
  readonly kind: ConfigurationKind;
  /** Undefined: all (`*`). */
  readonly condition: Expression | undefined;
  /** For nobody: the condition is empty. */
  readonly none: boolean;
}

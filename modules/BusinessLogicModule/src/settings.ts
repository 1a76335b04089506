import type { StatusError } from '@vantage/contracts';

/** What the original monitors (G.1). */
const DEFAULT_OBJECTS = ['person', 'defect'] as const;
const MAX_OBJECTS = 1000;

export interface Settings {
  /** Lower case. */
  readonly objectsToMonitor: readonly string[];
}

/** The keys of `businessLogicConfig` that the default logic knows; all others are the user's own. */
export function readSettings(config: Readonly<Record<string, unknown>>): {
  readonly settings: Settings;
  readonly errors: readonly StatusError[];
} {
  const value = config['objectsToMonitor'];
  if (value === undefined || value === null) return { settings: { objectsToMonitor: DEFAULT_OBJECTS }, errors: [] };
  if (Array.isArray(value) && value.length <= MAX_OBJECTS && value.every((item) => typeof item === 'string')) {
    return { settings: { objectsToMonitor: value.map((item: string) => item.toLowerCase()) }, errors: [] };
  }
  const path = 'components.businessLogicConfig.objectsToMonitor';
  const message = `expected a list of labels such as ["person"], at most ${MAX_OBJECTS}. The default is used: ${DEFAULT_OBJECTS.join(', ')}.`;
  return { settings: { objectsToMonitor: DEFAULT_OBJECTS }, errors: [{ path, message }] };
}

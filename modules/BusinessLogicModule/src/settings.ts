import type { StatusError } from '@vantage/contracts';

/** What the original monitors (G.1). */
const DEFAULT_OBJECTS = ['person', 'defect'] as const;
const MAX_NAMES = 1000;
const DEFAULT_RECORD_SECONDS = 10;
const MAX_RECORD_SECONDS = 3600;

export interface Settings {
  /** Lower case. */
  readonly objectsToMonitor: readonly string[];
  /** Types of events that start a recording. */
  readonly recordOnEvents: readonly string[];
  /** How long it goes on after the last of them. */
  readonly recordSeconds: number;
}

/** The keys of `businessLogicConfig` that the default logic knows; all others are the user's own. */
export function readSettings(config: Readonly<Record<string, unknown>>): {
  readonly settings: Settings;
  readonly errors: readonly StatusError[];
} {
  const errors: StatusError[] = [];
  const wrong = (key: keyof Settings, message: string): void => {
    errors.push({ path: `components.businessLogicConfig.${key}`, message });
  };
  const names = (
    key: 'objectsToMonitor' | 'recordOnEvents',
    example: string,
    otherwise: readonly string[],
  ): readonly string[] => {
    const value = config[key];
    if (value === undefined || value === null) return otherwise;
    if (Array.isArray(value) && value.length <= MAX_NAMES && value.every((item) => typeof item === 'string'))
      return value;
    const used = otherwise.length === 0 ? 'nothing' : otherwise.join(', ');
    wrong(key, `expected a list such as ["${example}"], at most ${MAX_NAMES}. The default is used: ${used}.`);
    return otherwise;
  };
  let recordSeconds = config['recordSeconds'] ?? DEFAULT_RECORD_SECONDS;
  if (typeof recordSeconds !== 'number' || !(recordSeconds >= 0 && recordSeconds <= MAX_RECORD_SECONDS)) {
    wrong(
      'recordSeconds',
      `expected seconds from 0 to ${MAX_RECORD_SECONDS}. The default is used: ${DEFAULT_RECORD_SECONDS}.`,
    );
    recordSeconds = DEFAULT_RECORD_SECONDS;
  }
  const settings = {
    objectsToMonitor: names('objectsToMonitor', 'person', DEFAULT_OBJECTS).map((item) => item.toLowerCase()),
    recordOnEvents: names('recordOnEvents', 'lineCrossing', []),
    recordSeconds: recordSeconds as number,
  };
  return { settings, errors };
}

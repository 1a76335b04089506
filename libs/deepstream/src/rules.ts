import type { Ledger } from './ledger.ts';
import type { ConfigEntry } from './text/entries.ts';
import { didYouMean } from './text/suggest.ts';
import type { Setter } from './values.ts';

/** A property that is known: it goes into the spec, or has no effect here for a reason. */
export interface Rule<Target> {
  readonly set?: Setter<Target>;
  /** Why it has no effect; with `set` its value is checked and kept in the spec all the same. */
  readonly notUsed?: string;
  /** Newer names of the same thing: where one of them is set, this one does not count. */
  readonly replacedBy?: readonly string[];
}

export type Rules<Target> = ReadonlyMap<string, Rule<Target>>;

export function used<Target>(set: Setter<Target>): Rule<Target> {
  return { set };
}

export function notUsed<Target>(why: string, set?: Setter<Target>): Rule<Target> {
  return set === undefined ? { notUsed: why } : { set, notUsed: why };
}

/** An older name, which counts only where none of the newer ones is set. */
export function replacedBy<Target>(names: readonly string[], rule: Rule<Target>): Rule<Target> {
  return { ...rule, replacedBy: names };
}

/**
 * Takes the properties of one group into a target; each ends in the ledger.
 *
 * @param entries of one group, each key once
 * @param plugin who reads such a file in DeepStream, for the message about an unknown property
 */
export function readGroup<Target>(
  entries: readonly ConfigEntry[],
  rules: Rules<Target>,
  target: Target,
  ledger: Ledger,
  plugin: string,
): void {
  for (const entry of entries) applyRule(entry, entries, rules, target, ledger, plugin);
}

function applyRule<Target>(
  entry: ConfigEntry,
  group: readonly ConfigEntry[],
  rules: Rules<Target>,
  target: Target,
  ledger: Ledger,
  plugin: string,
): void {
  const rule = rules.get(entry.key);
  if (rule === undefined) {
    const hint = didYouMean(entry.key, rules.keys());
    ledger.leaveOut(entry, `${plugin} has no such property in [${entry.group}]${hint}`);
    ledger.problem('warning', entry, `unknown property '${entry.key}' in [${entry.group}]${hint}`);
    return;
  }
  const newer = group.find(({ key }) => rule.replacedBy?.includes(key));
  if (newer !== undefined) {
    ledger.leaveOut(entry, `'${newer.key}' on line ${newer.line} is the newer name of the same and counts`);
    return;
  }
  const wrong = rule.set?.(target, entry.value);
  if (wrong !== undefined) {
    ledger.problem('error', entry, `${entry.key}: ${wrong}`);
    ledger.leaveOut(entry, wrong);
  } else if (rule.notUsed === undefined) ledger.use(entry);
  else ledger.leaveOut(entry, rule.notUsed);
}

/** Entries by group, in the order of the first appearance of each. */
export function byGroup(entries: readonly ConfigEntry[]): Map<string, ConfigEntry[]> {
  const groups = new Map<string, ConfigEntry[]>();
  for (const entry of entries) {
    const group = groups.get(entry.group);
    if (group) group.push(entry);
    else groups.set(entry.group, [entry]);
  }
  return groups;
}

import type { IniEntry } from './ini.ts';
import type { ConfigProblem, NotUsed, UsedProperty } from './spec.ts';

/** Collects where each property ended. */
export class Ledger {
  readonly used: UsedProperty[] = [];
  readonly notUsed: NotUsed[] = [];
  readonly problems: ConfigProblem[] = [];

  problem(severity: ConfigProblem['severity'], { line, key }: Pick<IniEntry, 'line' | 'key'>, message: string): void {
    this.problems.push({ severity, line, key, message });
  }

  use({ key, section, line, value }: IniEntry): void {
    this.used.push({ key, section, line, value });
  }

  leaveOut({ key, section, line }: IniEntry, why: string): void {
    this.notUsed.push({ key, section, line, why });
  }
}

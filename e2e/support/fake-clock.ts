/**
 * A fake clock for a process that is started with `--import` of this file: its dates are off by the number of
 * milliseconds that stands in the file `VANTAGE_TEST_CLOCK`. Timers, and what the system itself says, are true.
 */
import { readFileSync } from 'node:fs';

const RealDate = Date;
const offMs = (): number => Number(readFileSync(process.env['VANTAGE_TEST_CLOCK'] ?? '', 'utf8'));

globalThis.Date = class FakeDate extends RealDate {
  constructor(...given: [] | [number]) {
    if (given.length === 0) super(FakeDate.now());
    else super(...given);
  }

  static override now(): number {
    return RealDate.now() + offMs();
  }
} as DateConstructor;

import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { Soak, type SoakResult } from './soak/soak.ts';

/** About two things go wrong each three seconds, however long it lasts. Longer by hand: `VANTAGE_SOAK_SECONDS=3600`. */
const SECONDS = Number(process.env['VANTAGE_SOAK_SECONDS'] ?? 60);
/** Printed, so that a run that failed can be had again: what goes wrong and when, if not to the millisecond. */
const SEED = Number(process.env['VANTAGE_SOAK_SEED'] ?? Math.floor(Math.random() * 1e9));
const RATE = 500;

const folder = mkdtempSync(path.join(os.tmpdir(), 'vantage-soak-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/**
 * At least once, in order per endpoint: whatever the hub acknowledged to a sender is written down by its receiver, and
 * nobody gets a message for the first time after a later one of the same sender.
 *
 * Both sides write synchronously, the sender after the PUBACK, the receiver before its own (`soak/module.ts`), so that a
 * kill at any moment cannot make a message look acknowledged or missing that was not.
 */
describe('soak', () => {
  test(
    `four modules at ${RATE} messages a second for ${SECONDS} s while everything fails at random`,
    async () => {
      const notes: string[] = [];
      const soak = new Soak({ folder, seed: SEED, seconds: SECONDS, rate: RATE, onNote: (line) => notes.push(line) });
      let result: SoakResult;
      try {
        result = await soak.run();
      } catch (error) {
        throw new Error(`seed ${SEED}: ${String(error)}\nafter:\n${notes.slice(-20).join('\n')}`, { cause: error });
      } finally {
        await soak.end();
      }
      process.stderr.write(`${closingNote(result)}\n`);
      expect({ lost: result.lost.slice(0, 20), outOfOrder: result.outOfOrder.slice(0, 20), notes }).toEqual({
        lost: [],
        outOfOrder: [],
        notes,
      });
      // A soak in which little happened proves little.
      expect(result.acked).toBeGreaterThan(SECONDS * RATE * 0.25);
      expect(Object.values(result.faults).reduce((sum, count) => sum + count, 0)).toBeGreaterThan(SECONDS / 8);
    },
    (SECONDS + 180) * 1000,
  );
});

function closingNote(result: SoakResult): string {
  const { sent, acked, delivered, duplicates, faults, maxWaiting, maxMemoryMiB, drainSeconds } = result;
  const wrong = Object.entries(faults).map(([kind, count]) => `${kind} ${count}`);
  return (
    `soak: seed ${SEED}, ${SECONDS} s: ${sent} sent, ${acked} acknowledged (${Math.round(acked / SECONDS)}/s), ` +
    `${delivered} delivered, ${duplicates} duplicates, ${result.lost.length} lost, ${result.outOfOrder.length} out of order; ` +
    `${wrong.join(', ')}; at most ${maxWaiting} waiting, ${maxMemoryMiB} MiB; drained in ${drainSeconds} s`
  );
}

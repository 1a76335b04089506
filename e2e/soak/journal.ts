import { closeSync, existsSync, openSync, readFileSync, writeSync } from 'node:fs';
import path from 'node:path';

/**
 * What a process did, one line each, written before anything else happens: a line that was written outlives a kill.
 *
 * - `sent <key>`: handed to the SDK;
 * - `acked <key>`: the hub took responsibility (PUBACK);
 * - `got <endpoint> <key> [sequence]`: delivered; upstream, with its number there.
 *
 * A key is `<sender>:<life>:<number>`: lives count the starts of a sender, numbers its messages in one life.
 */
export class Journal {
  readonly #file: number;

  constructor(folder: string, name: string) {
    this.#file = openSync(path.join(folder, `${name}.journal`), 'a');
  }

  sent(key: string): void {
    writeSync(this.#file, `sent ${key}\n`);
  }

  acked(key: string): void {
    writeSync(this.#file, `acked ${key}\n`);
  }

  got(endpoint: string, key: string, sequence?: number): void {
    writeSync(this.#file, `got ${endpoint} ${key}${sequence === undefined ? '' : ` ${sequence}`}\n`);
  }

  started(): void {
    writeSync(this.#file, 'started\n');
  }

  close(): void {
    closeSync(this.#file);
  }
}

export function readJournal(folder: string, name: string): string[][] {
  const file = path.join(folder, `${name}.journal`);
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1);
  return lines.map((line) => line.split(' '));
}

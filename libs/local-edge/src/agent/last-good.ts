import { isTwinObject } from '@vantage/contracts';
import type { StateDatabase } from '../state/database.ts';

/** The desired properties of `$edgeAgent` that were good last: they run when the newest ones are not. */
export class LastGood {
  readonly #database: StateDatabase;

  constructor(database: StateDatabase) {
    this.#database = database;
    database.define(
      'CREATE TABLE IF NOT EXISTS agent_last_good (id INTEGER PRIMARY KEY CHECK (id = 0), desired TEXT NOT NULL) STRICT',
    );
  }

  read(): Record<string, unknown> | undefined {
    const row = this.#database.prepare('SELECT desired FROM agent_last_good').get();
    const desired: unknown = typeof row?.['desired'] === 'string' ? JSON.parse(row['desired']) : undefined;
    return isTwinObject(desired) ? desired : undefined;
  }

  async save(desired: unknown): Promise<void> {
    const insert = this.#database.prepare('INSERT OR REPLACE INTO agent_last_good VALUES (0, ?)');
    await this.#database.write(() => insert.run(JSON.stringify(desired)));
  }
}

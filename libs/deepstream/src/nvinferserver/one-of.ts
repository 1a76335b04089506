import type { Ledger } from '../ledger.ts';
import type { MessageReader } from './message-reader.ts';

/** Fields of which protobuf (`oneof`) allows one: a second is an error. */
export function onlyOne(reader: MessageReader, names: readonly string[], ledger: Ledger): void {
  const [first, second] = names.filter((name) => reader.has(name));
  if (first === undefined || second === undefined) return;
  const line = Math.max(reader.lineOf(first), reader.lineOf(second));
  ledger.problem('error', { line, key: second }, `${first} and ${second} exclude each other; keep one of them`);
}

import { readJournal } from './journal.ts';

/** Where the messages of one sender are to arrive. */
export interface Flow {
  readonly sender: string;
  /** Endpoint by the name under which its receiver writes it down. */
  readonly endpoint: string;
  /** Whose journal has the deliveries. */
  readonly receiver: string;
}

export interface Verdict {
  sent: number;
  acked: number;
  /** Different messages, over all endpoints. */
  delivered: number;
  /** Deliveries of a message that had been delivered before. */
  duplicates: number;
  /** Acknowledged messages that never arrived, `<endpoint> <key>`. */
  readonly lost: string[];
  /** First deliveries that came after one of a later message, `<endpoint> <key> after <key>`. */
  readonly outOfOrder: string[];
}

/** Compares what was acknowledged with what arrived. */
export function judge(folder: string, flows: readonly Flow[]): Verdict {
  const verdict: Verdict = { sent: 0, acked: 0, delivered: 0, duplicates: 0, lost: [], outOfOrder: [] };
  for (const sender of new Set(flows.map((flow) => flow.sender))) {
    const lines = readJournal(folder, sender);
    verdict.sent += lines.filter(([kind]) => kind === 'sent').length;
    const acked = lines.flatMap(([kind, key = '']) => (kind === 'acked' ? [key] : []));
    verdict.acked += acked.length;
    for (const flow of flows) if (flow.sender === sender) judgeFlow(folder, flow, acked, verdict);
  }
  return verdict;
}

function judgeFlow(
  folder: string,
  { sender, endpoint, receiver }: Flow,
  acked: readonly string[],
  verdict: Verdict,
): void {
  const seen = new Set<string>();
  let last = '';
  for (const [kind, at, key = ''] of readJournal(folder, receiver)) {
    if (kind !== 'got' || at !== endpoint || !key.startsWith(`${sender}:`)) continue;
    if (seen.has(key)) {
      verdict.duplicates += 1;
      continue;
    }
    seen.add(key);
    verdict.delivered += 1;
    if (last !== '' && compare(key, last) < 0) verdict.outOfOrder.push(`${endpoint} ${key} after ${last}`);
    last = key;
  }
  for (const key of acked) if (!seen.has(key)) verdict.lost.push(`${endpoint} ${key}`);
}

/** By life, then by number. */
function compare(a: string, b: string): number {
  const [, lifeA, numberA] = a.split(':').map(Number);
  const [, lifeB, numberB] = b.split(':').map(Number);
  return lifeA! - lifeB! || numberA! - numberB!;
}

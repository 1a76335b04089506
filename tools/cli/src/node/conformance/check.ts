import type { ImageEncoding, ResponseKind } from '@vantage/custom-node';
import type { Peer } from './peer.ts';

/** `warn`: works with some clients, or costs something. `skip`: could not be tried, or does not apply. */
export type Outcome = 'ok' | 'warn' | 'fail' | 'skip';

export interface Finding {
  readonly outcome: Outcome;
  /** What was seen, in one sentence. */
  readonly detail: string;
  /** What to do about it. */
  readonly advice?: string;
}

/** What the handshake fixed. */
export interface Wants {
  readonly encoding: ImageEncoding;
  readonly withImage: boolean;
  readonly response: ResponseKind;
}

/** What checks share; each may use the main connection or open its own. */
export interface Context {
  readonly peer: Peer;
  /** A connection of its own, handshake not yet done. Closed with the run. */
  readonly open: () => Peer;
  readonly wants: Wants;
  /** Milliseconds. */
  readonly deadlineMs: number;
}

export interface Check {
  readonly id: string;
  /** What a good node does. */
  readonly title: string;
  /** Sends what a node may choke on: afterwards it must still answer. */
  readonly hostile?: boolean;
  run(context: Context): Promise<Finding>;
}

export const ok = (detail: string): Finding => ({ outcome: 'ok', detail });
export const skip = (detail: string): Finding => ({ outcome: 'skip', detail });
export const warn = (detail: string, advice: string): Finding => ({ outcome: 'warn', detail, advice });
export const fail = (detail: string, advice: string): Finding => ({ outcome: 'fail', detail, advice });

import type { Metadata } from '@grpc/grpc-js';
import type { NodeDescription, NodeIds } from '../types.ts';
import { METADATA } from '../wire/service.ts';

const MAX_SESSIONS = 1000;
const MAX_KEY = 100;

/** What a handshake has fixed for the calls after it. */
export interface Session {
  readonly ids: NodeIds;
  readonly description: NodeDescription;
}

/**
 * Which camera a call is about, and what was agreed with it. Process messages do not say; so a handshake is remembered by
 * the key that our clients send along, or else by the address and port of the connection. The oldest of 1000 is forgotten.
 */
export class Sessions {
  readonly #sessions = new Map<string, Session>();

  remember(metadata: Metadata, peer: string, session: Session): void {
    const key = keyOf(metadata, peer);
    this.#sessions.delete(key);
    this.#sessions.set(key, session);
    if (this.#sessions.size <= MAX_SESSIONS) return;
    const oldest = this.#sessions.keys().next();
    if (oldest.done !== true) this.#sessions.delete(oldest.value);
  }

  /** Undefined where no handshake came before; the contract does not demand one. */
  of(metadata: Metadata, peer: string): Session | undefined {
    return this.#sessions.get(keyOf(metadata, peer));
  }
}

function keyOf(metadata: Metadata, peer: string): string {
  const [session] = metadata.get(METADATA.session);
  return session === undefined ? peer : `session ${session.toString().slice(0, MAX_KEY)}`;
}

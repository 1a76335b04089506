import type { Metadata } from '@grpc/grpc-js';
import type { NodeIds } from '../types.ts';
import { METADATA } from '../wire/service.ts';

const NOBODY: NodeIds = { instance: '', skill: '', device: '' };
const MAX_SESSIONS = 1000;
const MAX_KEY = 100;

/**
 * Which camera a call is about. Process messages do not say; so a handshake is remembered by the key that our clients send
 * along, or else by the address and port of the connection. The oldest of 1000 is forgotten.
 */
export class Sessions {
  readonly #ids = new Map<string, NodeIds>();

  remember(metadata: Metadata, peer: string, ids: NodeIds): void {
    const key = keyOf(metadata, peer);
    this.#ids.delete(key);
    this.#ids.set(key, ids);
    if (this.#ids.size <= MAX_SESSIONS) return;
    const oldest = this.#ids.keys().next();
    if (oldest.done !== true) this.#ids.delete(oldest.value);
  }

  of(metadata: Metadata, peer: string): NodeIds {
    return this.#ids.get(keyOf(metadata, peer)) ?? NOBODY;
  }
}

function keyOf(metadata: Metadata, peer: string): string {
  const [session] = metadata.get(METADATA.session);
  return session === undefined ? peer : `session ${session.toString().slice(0, MAX_KEY)}`;
}

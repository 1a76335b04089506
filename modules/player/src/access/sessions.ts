import { randomBytes } from 'node:crypto';

export interface Session {
  readonly id: string;
  readonly user: string;
  readonly csrf: string;
}

const MAX_SESSIONS = 1000;
const IDLE_MS = 12 * 60 * 60_000;

/** Who is logged in; forgotten when the Player ends, and after twelve hours without a call. */
export class Sessions {
  /** In the order of their last use. */
  readonly #sessions = new Map<string, { readonly session: Session; readonly untilMs: number }>();
  readonly #now: () => number;

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** The one not used for longest is forgotten when there are more than a thousand. */
  open(user: string): Session {
    const session = { id: randomToken(), user, csrf: randomToken() };
    this.#keep(session);
    const [oldest] = this.#sessions.keys();
    if (this.#sessions.size > MAX_SESSIONS && oldest !== undefined) this.#sessions.delete(oldest);
    return session;
  }

  use(id: string): Session | undefined {
    const entry = this.#sessions.get(id);
    if (!entry) return undefined;
    this.#sessions.delete(id);
    if (entry.untilMs <= this.#now()) return undefined;
    this.#keep(entry.session);
    return entry.session;
  }

  close(id: string): void {
    this.#sessions.delete(id);
  }

  #keep(session: Session): void {
    this.#sessions.set(session.id, { session, untilMs: this.#now() + IDLE_MS });
  }
}

export function randomToken(): string {
  return randomBytes(32).toString('base64url');
}

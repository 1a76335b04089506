import { codeOf } from '@vantage/contracts';
import { findHub, type Hub, type HubChoice } from '@vantage/hub';

/** A runtime that started again has another port and another key. */
const STALE: ReadonlySet<string> = new Set(['RUNTIME_NOT_RUNNING', 'HUB_REFUSED', 'HUB_UNREACHABLE']);

/** The hub as long as the Player runs: found when it is first needed, and again when it went away. */
export class HubLink {
  readonly #choice: HubChoice;
  readonly #env: NodeJS.ProcessEnv;
  #hub: Promise<Hub> | undefined;

  constructor(choice: HubChoice, env: NodeJS.ProcessEnv) {
    this.#choice = choice;
    this.#env = env;
  }

  /** @throws VantageError of `@vantage/hub` */
  async use<T>(work: (hub: Hub) => Promise<T>): Promise<T> {
    const known = this.#hub;
    try {
      return await work(await this.#find());
    } catch (error) {
      if (!STALE.has(codeOf(error) ?? '')) throw error;
      this.#hub = undefined;
      if (known === undefined) throw error;
      return work(await this.#find());
    }
  }

  /** What the page shows; never fails. */
  async names(): Promise<{ readonly name: string; readonly device: string | null }> {
    try {
      const hub = await this.#find();
      return { name: hub.name, device: deviceOf(hub) };
    } catch {
      return { name: this.#choice.hub ?? 'no hub found', device: this.#choice.device ?? null };
    }
  }

  #find(): Promise<Hub> {
    this.#hub ??= findHub(this.#choice, this.#env).catch((error: unknown) => {
      this.#hub = undefined;
      throw error;
    });
    return this.#hub;
  }
}

function deviceOf(hub: Hub): string | null {
  try {
    return hub.device;
  } catch {
    return null;
  }
}

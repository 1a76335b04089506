import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { HubProcess } from './hub-process.ts';
import type { Look } from './protocol.ts';
import { seeded } from './random.ts';
import { judge, type Flow, type Verdict } from './verdict.ts';

export interface SoakOptions {
  /** An empty folder for state and journals. */
  readonly folder: string;
  readonly seed: number;
  /** How long messages are sent and things go wrong; the queues are drained after it. */
  readonly seconds: number;
  /** Messages a second of all modules together. */
  readonly rate: number;
  readonly onNote: (line: string) => void;
}

export interface SoakResult extends Verdict {
  /** How often what went wrong. */
  readonly faults: Readonly<Record<string, number>>;
  /** Most messages that waited at one look, once a second. */
  readonly maxWaiting: number;
  /** Largest resident memory of the runtime at one look, MiB. */
  readonly maxMemoryMiB: number;
  readonly drainSeconds: number;
  /** The first hundred lines of the modules' logs: what they say of lost connections. */
  readonly complaints: readonly string[];
}

/** Each sends to the next one; what a and c send leaves for the cloud too. */
const MODULES = ['a', 'b', 'c', 'd'] as const;
const FLOWS: readonly Flow[] = [
  ...MODULES.map((sender, at): Flow => {
    const receiver = MODULES[(at + 1) % MODULES.length] ?? 'a';
    return { sender, receiver, endpoint: `${receiver}/in` };
  }),
  { sender: 'a', receiver: 'upstream', endpoint: '$upstream' },
  { sender: 'c', receiver: 'upstream', endpoint: '$upstream' },
];
/** What waits longer than this after the last fault is stuck. */
const DRAIN_MS = 120_000;

/**
 * Four modules, each a process with the real SDK, send at a steady rate while modules, broker, network and disk fail at
 * random. Yields what was acknowledged and what arrived; the caller judges.
 */
export class Soak {
  readonly #options: SoakOptions;
  readonly #random: () => number;
  readonly #faults: Record<string, number> = {};
  readonly #complaints: string[] = [];
  #hub: HubProcess | undefined;
  #maxWaiting = 0;
  #maxMemoryMiB = 0;

  constructor(options: SoakOptions) {
    this.#options = options;
    this.#random = seeded(options.seed);
  }

  async run(): Promise<SoakResult> {
    const { folder, seconds, onNote } = this.#options;
    mkdirSync(this.#journals, { recursive: true });
    await this.#startHub();
    await this.#order({ order: 'deploy', deployment: deployment() });
    await this.#order({ order: 'run', modules: MODULES, run: true });
    const endMs = Date.now() + seconds * 1000;
    // All have sent something before the first thing goes wrong.
    await after(3000);
    while (Date.now() < endMs) {
      await this.#strike();
      await this.#look();
      await after(500 + this.#random() * 2500);
    }
    await this.#order({ order: 'clear' });
    await this.#order({ order: 'run', modules: MODULES, run: false });
    const drainSeconds = await this.#drain();
    await this.#order({ order: 'stop' });
    await this.#hub?.ended;
    onNote(`drained after ${drainSeconds} s`);
    return {
      ...judge(path.join(folder, 'journals'), FLOWS),
      faults: this.#faults,
      maxWaiting: this.#maxWaiting,
      maxMemoryMiB: this.#maxMemoryMiB,
      drainSeconds,
      complaints: this.#complaints,
    };
  }

  /** Ends what runs, whatever state it is in. */
  async end(): Promise<void> {
    await this.#hub?.kill();
  }

  get #journals(): string {
    return path.join(this.#options.folder, 'journals');
  }

  async #startHub(): Promise<void> {
    const { folder, rate } = this.#options;
    const args = [path.join(folder, 'state'), this.#journals, String(rate / MODULES.length)];
    this.#hub = await HubProcess.start(args, (line) => {
      if (this.#complaints.length < 100) this.#complaints.push(line);
    });
  }

  #order(order: Parameters<HubProcess['order']>[0]): Promise<unknown> {
    if (this.#hub === undefined) throw new Error('there is no runtime');
    return this.#hub.order(order);
  }

  async #strike(): Promise<void> {
    const module = MODULES[Math.floor(this.#random() * MODULES.length)] ?? 'a';
    const forMs = Math.round(200 + this.#random() * 2800);
    const dice = this.#random();
    const fault = async (kind: string, act: () => Promise<unknown>): Promise<void> => {
      this.#faults[kind] = (this.#faults[kind] ?? 0) + 1;
      this.#options.onNote(`${kind} ${module} ${forMs}`);
      await act();
    };
    if (dice < 0.3) await fault('module killed', () => this.#order({ order: 'kill', module }).catch(notRunning));
    else if (dice < 0.55) await fault('network cut', () => this.#fault({ kind: 'network', module }, forMs));
    else if (dice < 0.7) await fault('broker restarted', () => this.#order({ order: 'restart-broker' }));
    else if (dice < 0.78) await fault('upstream cut', () => this.#fault({ kind: 'upstream' }, forMs));
    else if (dice < 0.84) await fault('delay', () => this.#fault({ kind: 'delay', module, ms: 50 }, forMs));
    else if (dice < 0.9) await fault('tokens expired', () => this.#order({ order: 'expire-tokens' }));
    else if (dice < 0.95) await fault('disk full', () => this.#fault({ kind: 'disk' }, Math.min(forMs, 1000)));
    else {
      await fault('runtime killed', async () => {
        await this.#hub?.kill();
        await this.#startHub();
      });
    }
  }

  #fault(
    fault: Extract<Parameters<HubProcess['order']>[0], { order: 'fault' }>['fault'],
    forMs: number,
  ): Promise<unknown> {
    return this.#order({ order: 'fault', fault, forMs });
  }

  async #look(): Promise<Look> {
    const look = (await this.#order({ order: 'look', modules: MODULES })) as Look;
    this.#maxWaiting = Math.max(this.#maxWaiting, look.status.messages.waiting);
    this.#maxMemoryMiB = Math.max(this.#maxMemoryMiB, look.memoryMiB);
    return look;
  }

  /** Waits until every module has everything acknowledged and nothing waits. Yields how long, in seconds. */
  async #drain(): Promise<number> {
    const beginMs = Date.now();
    for (;;) {
      const { idle, status } = await this.#look();
      const waitedMs = Date.now() - beginMs;
      if (idle.length === MODULES.length && status.messages.waiting === 0) return Math.round(waitedMs / 100) / 10;
      if (waitedMs > DRAIN_MS) {
        throw new Error(
          `stuck: idle ${idle.join()}; ${JSON.stringify(status, undefined, 1)}\n${this.#complaints.join('\n')}`,
        );
      }
      await after(200);
    }
  }
}

/** It was killed a moment ago already. */
function notRunning(error: Error): void {
  if (!/does not run here/.test(error.message)) throw error;
}

function deployment(): object {
  const entries = MODULES.map((id, at) => [
    `${id}ToNext`,
    `FROM /messages/modules/${id}/outputs/out INTO BrokeredEndpoint("/modules/${MODULES[(at + 1) % MODULES.length] ?? ''}/inputs/in")`,
  ]);
  const settings = { image: 'soak:1', createOptions: '{}' };
  return {
    modulesContent: {
      $edgeAgent: {
        'properties.desired': {
          schemaVersion: '1.1',
          runtime: { type: 'docker', settings: {} },
          systemModules: {},
          modules: Object.fromEntries(
            MODULES.map((id) => [id, { type: 'docker', status: 'running', restartPolicy: 'always', settings }]),
          ),
        },
      },
      $edgeHub: {
        'properties.desired': {
          schemaVersion: '1.1',
          routes: {
            ...Object.fromEntries(entries),
            aUp: 'FROM /messages/modules/a/outputs/out INTO $upstream',
            cUp: 'FROM /messages/modules/c/outputs/out INTO $upstream',
          },
          storeAndForwardConfiguration: { timeToLiveSecs: -1 },
        },
      },
    },
  };
}

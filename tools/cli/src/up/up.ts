import { access } from 'node:fs/promises';
import path from 'node:path';
import { DEFAULT_STATE } from '../state-option.ts';
import { createDisplay } from './display.ts';
import { EndSignal } from './end-signal.ts';
import type { UpEvent } from './events.ts';
import { Summary } from './summary.ts';

export interface UpOptions {
  readonly source?: string;
  readonly model?: string;
  readonly deployment?: string;
  readonly state: string;
  readonly mqttPort: number;
  readonly apiPort: number;
  /** False: no page in the browser. */
  readonly player?: boolean;
  readonly playerPort?: number;
  readonly seconds?: number;
  readonly json: boolean;
  readonly fresh: boolean;
  readonly containers: boolean;
  readonly build: boolean;
  /** False: no storage account on this machine. */
  readonly storage?: boolean;
}

/** Runs the edge runtime in this process and the modules as its children, until Ctrl-C or `--seconds`. */
export async function runUp(options: UpOptions): Promise<void> {
  const stateDir = path.resolve(options.state);
  const kind = options.json ? 'json' : process.stdout.isTTY ? 'live' : 'plain';
  const summary = new Summary({ twinOptions: options.state === DEFAULT_STATE ? '' : ` --state ${options.state}` });
  const display = createDisplay(kind, summary);
  let stopping = false;
  const tell = (event: UpEvent): void => {
    if (stopping && event.event === 'module') return;
    summary.add(event);
    display.event(event);
  };
  const end = new EndSignal();
  try {
    const deployment = options.deployment ?? (await solutionTemplate());
    tell({ event: 'starting', state: stateDir, ...(deployment === undefined ? {} : { deployment }) });
    // Loading all of it takes a second or two; the user sees that something happens.
    const { runSuite } = await import('./run-suite.ts');
    const given = { ...options, ...(deployment === undefined ? {} : { deployment }) };
    await runSuite(given, stateDir, kind === 'live', tell, async (runtime) => {
      runtime.on('stopRequested', () => {
        end.request();
      });
      await end.wait(options.seconds);
      stopping = true;
      tell({ event: 'stopping' });
    });
    tell(summary.end());
  } finally {
    end.release();
    display.stop();
  }
  if (options.seconds !== undefined && !summary.hasWorked) {
    process.stderr.write(
      `vantage: ${summary.missing} in ${options.seconds} s; run longer, or look at the problems above\n`,
    );
    process.exitCode = 1;
  }
}

/** What `vantage generate` and `vantage init` call it: in the folder of a solution its own deployment runs. */
async function solutionTemplate(): Promise<string | undefined> {
  const file = 'deployment.template.json';
  return access(file).then(
    () => file,
    () => undefined,
  );
}

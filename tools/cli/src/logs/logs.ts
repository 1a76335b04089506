import { isLocal, type HubOptions } from '../hub/options.ts';
import { untilSignal } from '../until-signal.ts';

export interface LogsOptions extends HubOptions {
  readonly follow: boolean;
  readonly tail: number;
  readonly since?: string;
  readonly until?: string;
  readonly level?: number;
  readonly grep?: string;
  readonly json: boolean;
}

/** Prints a module's log: as it stands from the local runtime, else in IoT Edge's form from the device's agent. */
export async function showLogs(module: string, options: LogsOptions): Promise<void> {
  const stop = untilSignal();
  try {
    if (isLocal(options) && !isFiltered(options)) await stream(module, options, stop.signal);
    else {
      const { agentLogs } = await import('./agent-logs.ts');
      await agentLogs(module, options, stop.signal, (line) => void process.stdout.write(`${line}\n`));
    }
  } finally {
    stop.release();
  }
}

/** What the agent answers, and a stream of lines does not. */
function isFiltered({ since, until, level, grep, json }: LogsOptions): boolean {
  return json || [since, until, level, grep].some((one) => one !== undefined);
}

async function stream(module: string, { state, tail, follow }: LogsOptions, signal: AbortSignal): Promise<void> {
  const { ControlClient } = await import('../control/client.ts');
  const client = await ControlClient.open(state);
  const query = `tail=${tail}${follow ? '&follow=1' : ''}`;
  const path = `/vantage/modules/${encodeURIComponent(module)}/log?${query}`;
  for await (const line of client.lines(path, signal)) process.stdout.write(`${line}\n`);
}

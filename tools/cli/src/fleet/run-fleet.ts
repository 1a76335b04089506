import { logUpdateStderr } from 'log-update';
import { ControlClient } from '../control/client.ts';
import { untilSignal } from '../until-signal.ts';
import { startOwnHub } from './own-hub.ts';
import { type FleetSummary, type Progress, simulateFleet } from './simulate.ts';

export interface FleetOptions {
  readonly devices: number;
  readonly state: string;
  readonly own: boolean;
  readonly edge: boolean;
  readonly rate: number;
  readonly seconds: number;
  readonly connects: number;
  readonly prefix: string;
  readonly tag: Readonly<Record<string, string>>;
  readonly keep: boolean;
  readonly json: boolean;
}

/** Runs the fleet and prints its summary; false when a device did not connect or anything was lost. */
export async function runFleet(options: FleetOptions): Promise<boolean> {
  const own = options.own ? await startOwnHub() : undefined;
  try {
    const hub = await ControlClient.open(own?.stateDir ?? options.state);
    const summary = await run(hub, options);
    process.stdout.write(options.json ? `${JSON.stringify(summary)}\n` : describe(summary));
    return summary.connected === summary.devices && summary.lost === 0;
  } finally {
    await own?.stop();
  }
}

async function run(hub: ControlClient, options: FleetOptions): Promise<FleetSummary> {
  const live = process.stderr.isTTY && !options.json;
  let until: ReturnType<typeof untilSignal> | undefined;
  try {
    return await simulateFleet(
      hub,
      { ...options, isEdge: options.edge, tags: options.tag },
      () => {
        until = untilSignal(options.seconds === 0 ? undefined : options.seconds);
        return until.signal;
      },
      (progress) => {
        if (live) logUpdateStderr(progressLine(progress, options.devices));
      },
    );
  } finally {
    until?.release();
    if (live) logUpdateStderr.clear();
  }
}

function progressLine({ phase, connected, gotTwin, gotPatch }: Progress, devices: number): string {
  return `fleet of ${devices} ${phase}   connected ${connected}   twin ${gotTwin}   patch ${gotPatch}`;
}

function describe(summary: FleetSummary): string {
  const { devices, connected, gotTwin, gotPatch, lost, telemetry, times, hub, reconnects, errors } = summary;
  const memory =
    hub.rssMiB === null || hub.rssBeforeMiB === null ? '' : `hub       ${hub.rssMiB} MiB, ${hub.rssBeforeMiB} before\n`;
  return (
    `devices   ${devices}, ${connected} connected, ${gotTwin} got their twin, ${gotPatch} got the patch\n` +
    `messages  ${telemetry.sent} sent, ${telemetry.acknowledged} acknowledged, ${telemetry.skipped} held back\n` +
    `lost      ${lost}${reconnects > 0 ? `, ${reconnects} connections made again` : ''}\n` +
    `times     register ${times.register} ms, connect and twin ${times.connect} ms, patch ${times.patch} ms\n` +
    memory +
    errors.map((error) => `problem   ${error}\n`).join('')
  );
}

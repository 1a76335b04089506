import { Command, InvalidArgumentError } from 'commander';
import { logUpdateStderr } from 'log-update';
import { ControlClient } from '../control/client.ts';
import { STATE_OPTION } from '../state-option.ts';
import { untilSignal } from '../until-signal.ts';
import { startOwnHub } from './own-hub.ts';
import { type FleetSummary, type Progress, simulateFleet } from './simulate.ts';

interface FleetOptions {
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

export function fleetCommand(): Command {
  const fleet = new Command('fleet').description('many light devices against one local hub');
  fleet
    .command('simulate')
    .description('connect devices, give each its twin and one patch, and let them send')
    .option('--devices <n>', 'how many', number(1, 10_000), 100)
    .option(...STATE_OPTION)
    .option('--own', 'against a hub for this run only, instead of the one that runs', false)
    .option('--edge', 'as IoT Edge devices: each reports success of the deployment it is given', false)
    .option('--rate <n>', 'messages a second of each device', number(0, 1000), 0.2)
    .option('--seconds <n>', 'how long they send; 0: until Ctrl-C', number(0, 1_000_000), 10)
    .option('--connects <n>', 'connections that are made at one time', number(1, 500), 32)
    .option('--prefix <text>', 'names are <prefix>1, <prefix>2, ...', 'sim-')
    .option('--tag <key=value>', 'tag of their twins, to target deployments; may be repeated', readTag, {})
    .option('--keep', 'leave the devices registered', false)
    .option('--json', 'the summary as one JSON line', false)
    .addHelpText('after', '\nStatus 1 when a device did not connect or anything was lost.')
    .action(async (options: FleetOptions) => {
      const own = options.own ? await startOwnHub() : undefined;
      try {
        const hub = await ControlClient.open(own?.stateDir ?? options.state);
        const summary = await run(hub, options);
        process.stdout.write(options.json ? `${JSON.stringify(summary)}\n` : describe(summary));
        if (summary.connected < summary.devices || summary.lost > 0) process.exitCode = 1;
      } finally {
        await own?.stop();
      }
    });
  return fleet;
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

function number(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() === '' || !(value >= least && value <= most)) {
      throw new InvalidArgumentError(`a number from ${least} to ${most} expected`);
    }
    return value;
  };
}

function readTag(text: string, tags: Readonly<Record<string, string>>): Record<string, string> {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('key=value expected');
  return { ...tags, [text.slice(0, at)]: text.slice(at + 1) };
}

import { Command } from 'commander';
import type { Fault } from '@vantage/local-edge';
import type { ControlClient } from '../control/client.ts';
import { STATE_OPTION } from '../state-option.ts';

interface FaultOptions {
  readonly state: string;
  readonly json: boolean;
  readonly for?: string;
}

/** `vantage fault ...`: what goes wrong in the field, on purpose. */
export function faultCommand(): Command {
  const fault = new Command('fault')
    .summary('make something go wrong, on purpose')
    .description('make something go wrong in the local runtime, on purpose');
  lasting(fault, 'network', "a module's connection to the hub is cut")
    .argument('<module>')
    .action((module: string, options: FaultOptions) => set({ kind: 'network', module }, options));
  lasting(fault, 'upstream', 'nothing leaves for the cloud; messages wait').action((options: FaultOptions) =>
    set({ kind: 'upstream' }, options),
  );
  lasting(fault, 'delay', 'what the hub sends is late: to one module, or to all')
    .argument('<module or time>')
    .argument('[time]', 'such as 250 (ms) or 2s')
    .action(async (first: string, second: string | undefined, options: FaultOptions) => {
      const { parseDuration } = await import('../duration.ts');
      const ms = parseDuration(second ?? first, 'the delay', { bare: true });
      await set({ kind: 'delay', ms, ...(second === undefined ? {} : { module: first }) }, options);
    });
  lasting(fault, 'clock', "the hub's clock is ahead (1h) or behind (-1h)")
    .argument('<time>', 'such as 500 (ms), 1h or -1h')
    // Else -1h were an option.
    .allowUnknownOption()
    .action(async (time: string, options: FaultOptions) => {
      const { parseDuration } = await import('../duration.ts');
      await set(
        { kind: 'clock', ms: parseDuration(time, "the clock's offset", { bare: true, signed: true }) },
        options,
      );
    });
  lasting(fault, 'disk', 'the disk of the state folder is full').action((options: FaultOptions) =>
    set({ kind: 'disk' }, options),
  );
  lasting(fault, 'twin', "a module's twin is deaf: no answers, no desired changes")
    .argument('<module>')
    .action((module: string, options: FaultOptions) => set({ kind: 'twin', module }, options));
  addMoments(fault);
  addOverview(fault);
  return fault;
}

function lasting(parent: Command, name: string, description: string): Command {
  return parent
    .command(name)
    .description(description)
    .option('--for <time>', 'ends by itself after so long (30s, 5m); default: when cleared')
    .option('--json', 'print the fault as JSON', false)
    .option(...STATE_OPTION);
}

/** Faults that happen once and are over. */
function addMoments(fault: Command): void {
  fault
    .command('restart-broker')
    .description('all connections break; the broker comes back with what it has kept')
    .option('--json', 'print {"restarted": "broker"}', false)
    .option(...STATE_OPTION)
    .action(async ({ state, json }: FaultOptions) => {
      await (await open(state)).restartBroker();
      say(json ? JSON.stringify({ restarted: 'broker' }) : 'the broker has been restarted');
    });
  fault
    .command('expire-tokens')
    .description('the tokens of all connected clients are over; they need new ones')
    .option('--json', 'print {"disconnected": number}', false)
    .option(...STATE_OPTION)
    .action(async ({ state, json }: FaultOptions) => {
      const count = await (await open(state)).expireTokens();
      if (json) say(JSON.stringify({ disconnected: count }));
      else say(`the tokens of ${count} connected ${count === 1 ? 'client' : 'clients'} are over`);
    });
  fault
    .command('kill')
    .description('end a module hard, as a crash would; its restart policy decides what follows')
    .argument('<module>')
    .option('--json', 'print {"killed": module}', false)
    .option(...STATE_OPTION)
    .action(async (module: string, { state, json }: FaultOptions) => {
      await (await open(state)).killModule(module);
      say(json ? JSON.stringify({ killed: module }) : `${module} has been killed`);
    });
}

function addOverview(fault: Command): void {
  fault
    .command('list')
    .description('what is wrong on purpose now')
    .option('--json', 'as JSON', false)
    .option(...STATE_OPTION)
    .action(async ({ state, json }: FaultOptions) => {
      const faults = await (await open(state)).faults();
      const { faultText } = await import('./fault-text.ts');
      if (json) say(JSON.stringify(faults, undefined, 2));
      else say(faults.map((active) => faultText(active, Date.now())).join('\n') || 'no faults');
    });
  fault
    .command('clear')
    .description('end faults: all, those of a kind, or the one of a kind and module')
    .argument('[kind]', 'network, upstream, delay, clock, disk or twin')
    .argument('[module]')
    .option('--json', 'print {"cleared": number}', false)
    .option(...STATE_OPTION)
    .action(async (kind: string | undefined, module: string | undefined, { state, json }: FaultOptions) => {
      const count = await (await open(state)).clearFaults(kind, module);
      if (json) say(JSON.stringify({ cleared: count }));
      else say(count === 0 ? 'there was nothing to clear' : `${count} ${count === 1 ? 'fault' : 'faults'} cleared`);
    });
}

async function set(fault: Fault, options: FaultOptions): Promise<void> {
  const { parseDuration } = await import('../duration.ts');
  const { faultText } = await import('./fault-text.ts');
  const forMs = options.for === undefined ? undefined : parseDuration(options.for, '--for');
  const client = await open(options.state);
  const active = await client.setFault(fault, forMs);
  say(options.json ? JSON.stringify(active) : faultText(active, Date.now()));
}

async function open(state: string): Promise<ControlClient> {
  const { ControlClient } = await import('../control/client.ts');
  return ControlClient.open(state);
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

import { Command } from 'commander';
import { HUB_HELP, isLocal, withHub, type HubOptions } from '../hub/options.ts';

export function statusCommand(): Command {
  return withHub(new Command('status'))
    .summary('how it is, here or on a device')
    .description('how the local runtime, or a device of an IoT Hub, and its modules are')
    .option('--json', 'the whole of it as JSON', false)
    .addHelpText('after', `${HUB_HELP}\n\nStatus 0: shown, whatever it says. Status 1: no runtime, hub or device.`)
    .action(async (options: HubOptions & { readonly json: boolean }) => {
      process.stdout.write(`${isLocal(options) ? await local(options) : await ofDevice(options)}\n`);
    });
}

async function local({ state, json }: HubOptions & { readonly json: boolean }): Promise<string> {
  const { ControlClient } = await import('../control/client.ts');
  const { renderStatus } = await import('./render.ts');
  const client = await ControlClient.open(state);
  const status = await client.status();
  const { playerUrl } = client.connection;
  if (!json) return renderStatus(status, Date.now(), playerUrl);
  return JSON.stringify({ ...status, ...(playerUrl === undefined ? {} : { playerUrl }) }, undefined, 2);
}

async function ofDevice(options: HubOptions & { readonly json: boolean }): Promise<string> {
  const { readDeviceStatus, renderDeviceStatus } = await import('./device-status.ts');
  const status = await readDeviceStatus(options);
  return options.json ? JSON.stringify(status, undefined, 2) : renderDeviceStatus(status, Date.now());
}

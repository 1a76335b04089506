import { Option, type Command } from 'commander';
import type { HubChoice } from '@vantage/hub';
import { DEFAULT_STATE, STATE_OPTION } from '../state-option.ts';

export type HubOptions = HubChoice;

/** The options of every command that talks to a hub. Credentials are never among them: shells remember what they ran. */
export function withHub(command: Command): Command {
  const [flags, description, state] = STATE_OPTION;
  const options = [
    new Option(flags, description).default(state),
    new Option('--hub <host>', 'IoT Hub, such as my-hub.azure-devices.net, with your Azure login'),
    new Option('--connection-file <file>', 'file with a service connection string of an IoT Hub'),
    new Option('-d, --device <id>', 'device of the IoT Hub (default: VANTAGE_DEVICE)'),
  ];
  for (const option of options) command.addOption(option.helpGroup('Which hub and device:'));
  return command;
}

export const HUB_HELP = `
The hub is that of the local runtime (--state), unless an IoT Hub is named: by --hub, by --connection-file, or by the
variable IOTHUB_CONNECTION_STRING (not when --state is given).`;

/** Whether the options and the environment mean the local runtime: what it alone can do needs no Azure client. */
export function isLocal({ hub, connectionFile, state }: HubOptions, env: NodeJS.ProcessEnv = process.env): boolean {
  if (hub !== undefined || connectionFile !== undefined) return false;
  return state !== DEFAULT_STATE || env['IOTHUB_CONNECTION_STRING'] === undefined;
}

import type { Command } from 'commander';
import type { HubChoice } from '@vantage/hub';
import { STATE_OPTION } from '../state-option.ts';

export type HubOptions = HubChoice;

/** The options of every command that talks to a hub. Credentials are never among them: shells remember what they ran. */
export function withHub(command: Command): Command {
  return command
    .option(...STATE_OPTION)
    .option('--hub <host>', 'IoT Hub, such as my-hub.azure-devices.net, with your Azure login')
    .option('--connection-file <file>', 'file with a service connection string of an IoT Hub')
    .option('-d, --device <id>', 'device of the IoT Hub (default: VANTAGE_DEVICE)');
}

export const HUB_HELP = `
The hub is that of the local runtime (--state), unless an IoT Hub is named: by --hub, by --connection-file, or by the
variable IOTHUB_CONNECTION_STRING (not when --state is given).`;

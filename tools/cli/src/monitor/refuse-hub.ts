import { VantageError } from '@vantage/contracts';
import type { HubOptions } from '../hub/options.ts';

/** What reached an IoT Hub comes out of its Event Hubs endpoint, over AMQP. @throws VantageError MONITOR_NEEDS_RUNTIME */
export function refuseHub({ hub, device }: HubOptions, env: NodeJS.ProcessEnv = process.env): never {
  const name = hub?.split('.', 1)[0] ?? '<hub>';
  const of = device ?? env['VANTAGE_DEVICE'];
  const command = `az iot hub monitor-events --hub-name ${name}${of === undefined ? '' : ` --device-id ${of}`}`;
  throw new VantageError(
    'MONITOR_NEEDS_RUNTIME',
    `monitor shows what leaves the local runtime (--state); of an IoT Hub use: ${command} (extension azure-iot)`,
  );
}

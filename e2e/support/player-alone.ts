import { writeConnection } from '@vantage/hub';
import { EdgeRuntime } from '@vantage/local-edge';
import { silentLogger } from '@vantage/observability';
import path from 'node:path';
import { Player, readSettings } from '../../modules/player/src/index.ts';

/**
 * A process: a Player without modules behind it, at a local runtime with the twin in `DESIRED` (JSON), or without that at
 * no hub. It tells its parent the address, and ends with SIGTERM.
 */
const desired = process.env['DESIRED'];
const folder = process.env['FOLDER'] ?? '.';
const stateDir = path.join(folder, 'state');
const env = {
  ...process.env,
  VANTAGE_HOME: path.join(folder, 'home'),
  VANTAGE_STATE: stateDir,
  PLAYER_PORT: '0',
  PLAYER_CACHE: path.join(folder, 'cache'),
};
const runtime = desired === undefined ? undefined : new EdgeRuntime({ stateDir });
if (runtime) {
  await runtime.start();
  await runtime.moduleEnvironment('controllermodule');
  await runtime.patchDesired('controllermodule', JSON.parse(desired ?? '') as Record<string, unknown>);
  await writeConnection(stateDir, {
    pid: process.pid,
    deviceId: runtime.deviceId,
    apiPort: runtime.ports.api,
    serviceConnectionString: runtime.serviceConnectionString,
    caFile: runtime.caFile,
  });
}
const player = new Player({ settings: readSettings(env), logger: silentLogger, env });
const url = await player.start();
await player.pageBuilt();
process.send?.({ url });
process.once('SIGTERM', () => {
  void player.stop().then(() => runtime?.stop());
  process.disconnect();
});

/** The hub of `vantage fleet simulate --own`: runs in the folder it is given until its standard input ends. */
import { EdgeRuntime } from '@vantage/local-edge';
import { createLogger } from '@vantage/observability';
import { writeConnection } from '@vantage/hub';

const [stateDir = ''] = process.argv.slice(2);
const logger = createLogger({ module: 'edge', level: 'warning', destination: process.stderr });
const runtime = new EdgeRuntime({ stateDir, logger });
await runtime.start();
await writeConnection(stateDir, {
  pid: process.pid,
  deviceId: runtime.deviceId,
  apiPort: runtime.ports.api,
  serviceConnectionString: runtime.serviceConnectionString,
  caFile: runtime.caFile,
});
process.stdout.write('ready\n');
process.stdin.resume();
process.stdin.once('end', () => void runtime.stop());

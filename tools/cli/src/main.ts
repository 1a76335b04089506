import { Command } from 'commander';
import { VantageError, codeOf, messageOf } from '@vantage/contracts';
import { redact } from '@vantage/observability';
import { downCommand } from './down/command.ts';
import { faultCommand } from './fault/command.ts';
import { imageCommand } from './image/command.ts';
import { fleetCommand } from './fleet/command.ts';
import { configCommand } from './explain/command.ts';
import { inferCommand } from './infer/command.ts';
import { logsCommand } from './logs/command.ts';
import { monitorCommand } from './monitor/command.ts';
import { resetCommand } from './reset/command.ts';
import { statusCommand } from './status/command.ts';
import { routeCommand } from './route/command.ts';
import { twinCommand } from './twin/command.ts';
import { upCommand } from './up/command.ts';

const program = new Command('vantage')
  .description('Azure IoT Edge modules that turn cameras into insights on the device')
  .version('0.1.0')
  .showHelpAfterError('(add --help for the options)')
  .addCommand(upCommand())
  .addCommand(downCommand())
  .addCommand(statusCommand())
  .addCommand(logsCommand())
  .addCommand(monitorCommand())
  .addCommand(faultCommand())
  .addCommand(resetCommand())
  .addCommand(twinCommand())
  .addCommand(routeCommand())
  .addCommand(fleetCommand())
  .addCommand(inferCommand())
  .addCommand(configCommand())
  .addCommand(imageCommand());

try {
  await program.parseAsync();
} catch (error) {
  const code = codeOf(error);
  process.stderr.write(`vantage: ${redact(messageOf(error))}${code ? ` (${code})` : ''}\n`);
  // A mistake of ours is worth its stack; a mistake in what we were given is explained by its message.
  if (!VantageError.is(error) && error instanceof Error && process.env['VANTAGE_DEBUG']) {
    process.stderr.write(`${redact(error.stack ?? '')}\n`);
  }
  process.exitCode = 1;
}

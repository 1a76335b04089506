import { Command } from 'commander';
import { pingCommand, restartCommand } from './agent/command.ts';
import { completeCommand, completionCommand } from './completion/command.ts';
import { deployCommand } from './deploy/command.ts';
import { doctorCommand } from './doctor/command.ts';
import { downCommand } from './down/command.ts';
import { faultCommand } from './fault/command.ts';
import { imageCommand } from './image/command.ts';
import { sayExitCodes } from './exit-codes.ts';
import { fleetCommand } from './fleet/command.ts';
import { configCommand } from './explain/command.ts';
import { generateCommand } from './generate/command.ts';
import { inferCommand } from './infer/command.ts';
import { initCommand } from './init/command.ts';
import { logsCommand } from './logs/command.ts';
import { manifestCommand } from './manifest/command.ts';
import { migrateCommand } from './migrate/command.ts';
import { modelCommand } from './model/command.ts';
import { monitorCommand } from './monitor/command.ts';
import { nodeCommand } from './node/command.ts';
import { playerCommand } from './player/command.ts';
import { resetCommand } from './reset/command.ts';
import { skillCommand } from './skill/command.ts';
import { statusCommand } from './status/command.ts';
import { routeCommand } from './route/command.ts';
import { trackCommand } from './track/command.ts';
import { twinCommand } from './twin/command.ts';
import { upCommand } from './up/command.ts';
import { verifyCommand } from './verify/command.ts';
import { whyCommand } from './why/command.ts';

/** Commands load what they do when they do it: help, and a mistake in the options, come at once. */
const program = new Command('vantage')
  .description('Azure IoT Edge modules that turn cameras into insights on the device')
  .version('0.1.0')
  // What stands behind "deploy rollback" belongs to rollback, also where deploy has an option of that name.
  .enablePositionalOptions()
  .showHelpAfterError('(add --help for the options)')
  .addCommand(initCommand())
  .addCommand(upCommand())
  .addCommand(downCommand())
  .addCommand(statusCommand())
  .addCommand(logsCommand())
  .addCommand(monitorCommand())
  .addCommand(playerCommand())
  .addCommand(restartCommand())
  .addCommand(pingCommand())
  .addCommand(faultCommand())
  .addCommand(resetCommand())
  .addCommand(generateCommand())
  .addCommand(manifestCommand())
  .addCommand(deployCommand())
  .addCommand(migrateCommand())
  .addCommand(twinCommand())
  .addCommand(routeCommand())
  .addCommand(fleetCommand())
  .addCommand(inferCommand())
  .addCommand(verifyCommand())
  .addCommand(whyCommand())
  .addCommand(trackCommand())
  .addCommand(configCommand())
  .addCommand(modelCommand())
  .addCommand(nodeCommand())
  .addCommand(skillCommand())
  .addCommand(imageCommand())
  .addCommand(doctorCommand())
  .addCommand(completionCommand())
  .addCommand(
    completeCommand(() => program),
    { hidden: true },
  );

// `vantage ... | head`: nobody reads on, which is no mistake.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? 0 : 1);
});

for (const command of program.commands) inherit(command, program);

try {
  await program.parseAsync();
} catch (error) {
  const { reportError } = await import('./report-error.ts');
  reportError(error);
  process.exitCode = 1;
}

/** A mistake in the options of any command says where help is; its help says what its status means. */
function inherit(command: Command, parent: Command): void {
  command.copyInheritedSettings(parent);
  sayExitCodes(command);
  for (const child of command.commands) inherit(child, command);
}

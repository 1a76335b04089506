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
import { HELP } from './help.ts';
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

const HELP_COMMAND = ['help [command]', 'the same as --help'] as const;

/** Commands load what they do when they do it: help, and a mistake in the options, come at once. */
const program: Command = new Command('vantage')
  .description('Azure IoT Edge modules that turn cameras into insights on the device')
  .version('0.1.0')
  // What stands behind "deploy rollback" belongs to rollback, also where deploy has an option of that name.
  .enablePositionalOptions()
  .showHelpAfterError('(add --help for the options)')
  .configureHelp(HELP)
  .commandsGroup('Run it, and look:')
  .addCommand(initCommand())
  .addCommand(upCommand())
  .addCommand(downCommand())
  .addCommand(statusCommand())
  .addCommand(logsCommand())
  .addCommand(monitorCommand())
  .addCommand(playerCommand())
  .addCommand(whyCommand())
  .addCommand(restartCommand())
  .addCommand(pingCommand())
  .addCommand(resetCommand())
  .addCommand(doctorCommand())
  .commandsGroup('Deploy it, and configure:')
  .addCommand(generateCommand())
  .addCommand(manifestCommand())
  .addCommand(migrateCommand())
  .addCommand(deployCommand())
  .addCommand(twinCommand())
  .addCommand(routeCommand())
  .addCommand(imageCommand())
  .commandsGroup('Bring models and code:')
  .addCommand(modelCommand())
  .addCommand(inferCommand())
  .addCommand(trackCommand())
  .addCommand(configCommand())
  .addCommand(nodeCommand())
  .addCommand(skillCommand())
  .commandsGroup('Try it hard:')
  .addCommand(verifyCommand())
  .addCommand(faultCommand())
  .addCommand(fleetCommand())
  .commandsGroup('The command line:')
  .addCommand(completionCommand())
  .helpCommand(...HELP_COMMAND)
  .addCommand(
    completeCommand(() => program),
    { hidden: true },
  )
  .addHelpText(
    'after',
    `
To begin with:
  vantage up                              the whole suite with a demo camera; Ctrl-C ends it
  vantage init my-site                    a folder of your own: deployment, twins, a custom node
  vantage twin get controllermodule       what is configured, and what is reported
  vantage deploy <template> --wait        another deployment, followed to its end`,
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
  // Its own: the one of the program stands in a group of the program.
  if (command.commands.length > 0) command.helpCommand(...HELP_COMMAND);
  sayExitCodes(command);
  for (const child of command.commands) inherit(child, command);
}

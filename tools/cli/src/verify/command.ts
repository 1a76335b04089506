import { Command } from 'commander';
import { HUB_HELP, withHub } from '../hub/options.ts';
import type { VerifyOptions } from './run-verify.ts';

export function verifyCommand(): Command {
  return withHub(new Command('verify'))
    .summary('replay clips that should alert, or not')
    .description('replay clips of which is known whether they should alert through the configuration that runs')
    .argument('<folder>', 'holds should-fire/ and should-not-fire/, or a verify.json that tags clips')
    .option(
      '--config <file>',
      "a deployment manifest, or the controllermodule's desired properties, instead of the hub's",
    )
    .option('--sensor <name>', 'the camera that clips stand for which do not say')
    .option('--logic <file>', 'decision logic of your own (default: BUSINESS_LOGIC_FILE)')
    .option('--json', 'print {"passed", "clips": [{"file", "passed", "got", "alerts"}]}', false)
    .option('--verbose', 'what the modules would log', false)
    .addHelpText(
      'after',
      `${HUB_HELP}\n\nAn alert is an event of a rule, or the start of a recording. Status 0: all clips do what they should. Status 1: not all do.`,
    )
    .action(async (folder: string, options: VerifyOptions) => {
      const { runVerify } = await import('./run-verify.ts');
      process.exitCode = await runVerify(folder, options);
    });
}

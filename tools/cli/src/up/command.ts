import { Command } from 'commander';
import { port, seconds } from '../option-values.ts';
import { DEFAULT_STATE } from '../state-option.ts';
import type { UpOptions } from './up.ts';

export function upCommand(): Command {
  return new Command('up')
    .summary('run the whole suite here, with no Azure')
    .description('run the whole suite on this machine, with no Azure')
    .option('--source <file or url>', 'your own camera (rtsp://...) or video instead of the demo street')
    .option('--model <zip, folder or nvinfer file>', 'your own model instead of the demo model')
    .option(
      '--deployment <file>',
      'a deployment template or manifest of your own (default: deployment.template.json here, else that of Vantage)',
    )
    .option('--state <folder>', 'where twins, messages and clips are kept', DEFAULT_STATE)
    .option('--mqtt-port <port>', 'port of the MQTT broker (0: any free one)', port, 0)
    .option('--api-port <port>', 'port of the IoT Hub service API (0: any free one)', port, 0)
    .option(
      '--seconds <time>',
      'end after so long; status 0 only if objects were detected and a clip was written',
      seconds,
    )
    .option('--json', 'one JSON event a line', false)
    .option('--fresh', 'forget twin edits of earlier runs', false)
    .option('--containers', "run the modules' images as containers of a Docker engine, not as processes", false)
    .option('--build', 'with --containers: build the images first, from this machine alone', false)
    .option('--no-storage', 'without a storage account on this machine: clips stay in their folder')
    .option('--no-player', 'without the Player, the page in the browser')
    .option('--player-port <port>', 'port of the Player (0: any free one)', port, 0)
    .option(
      '-d, --detach',
      'start in the background, return when all modules are connected; "vantage down" ends it',
      false,
    )
    .action(async (options: UpOptions & { detach: boolean }, command: Command) => {
      if (options.build && !options.containers) command.error("error: option '--build' goes with '--containers'");
      if (options.detach) {
        const { upDetached } = await import('./detach.ts');
        await upDetached(options);
      } else {
        const { runUp } = await import('./up.ts');
        await runUp(options);
      }
    });
}

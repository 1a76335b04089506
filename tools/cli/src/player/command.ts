import { Command } from 'commander';
import { HUB_HELP, withHub } from '../hub/options.ts';
import { port } from '../option-values.ts';
import type { PlayerRunOptions } from './run.ts';

export function playerCommand(): Command {
  return withHub(
    new Command('player')
      .summary('cameras, clips, regions in a browser')
      .description('cameras, clips, regions and configuration in a browser, for a device wherever it is')
      .option('--host <address>', 'where it listens (default: PLAYER_HOST, else 127.0.0.1)')
      .option('--port <port>', 'port (0: any free one; default: PLAYER_PORT, else 8080)', (text) => String(port(text)))
      .option('--recordings <folder>', "folder of the recorder's clips (default: that of the local runtime)"),
  )
    .addHelpText(
      'after',
      `${HUB_HELP}
Beyond this machine it asks who people are: set PLAYER_TOKEN, or PLAYER_OIDC_HEADER behind a proxy. Clips in blob
storage: PLAYER_STORAGE (connection string or SAS URL) and PLAYER_CONTAINER. All variables: docs/player.md.`,
    )
    .action(async (options: PlayerRunOptions) => {
      const { runPlayer } = await import('./run.ts');
      await runPlayer(options);
    });
}

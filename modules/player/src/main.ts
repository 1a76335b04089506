import { runModule } from '@vantage/observability';
import { Player } from './player.ts';
import { readSettings } from './settings.ts';

await runModule({
  name: 'player',
  start: async ({ logger, env, signal }) => {
    const player = new Player({ settings: readSettings(env), logger, env });
    signal.addEventListener('abort', () => void player.stop(), { once: true });
    const url = await player.start();
    logger.info(`the Player is at ${url}`);
    // Whoever started this process may want to say where.
    process.send?.({ url });
    return { stop: () => player.stop() };
  },
});

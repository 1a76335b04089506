import { MODULES } from '@vantage/contracts';
import { EdgeModule } from '@vantage/edge-client';
import { resolveVolume, runModule } from '@vantage/observability';
import { Controller } from './controller.ts';
import { lastGoodIn } from './last-good.ts';

await runModule({
  name: MODULES.controller,
  start: async (context) => {
    const { env, logger } = context;
    const edge = await EdgeModule.connect(context);
    const folder = env['VANTAGE_STATE_DIR'] ?? resolveVolume('/var/lib/vantage', env);
    await new Controller({ edge, logger, lastGood: lastGoodIn(folder) }).start();
    return { stop: () => edge.close() };
  },
});

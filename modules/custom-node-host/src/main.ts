import { MODULES } from '@vantage/contracts';
import { EdgeModule } from '@vantage/edge-client';
import { runModule } from '@vantage/observability';
import { CustomNodeHost } from './custom-node-host.ts';
import { readSettings } from './settings.ts';

await runModule({
  name: MODULES.customNodeHost,
  start: async (context) => {
    const { logger, metrics, health } = context;
    // Nodes do not wait for a hub: without one, what was last good runs.
    const edge = new EdgeModule(context);
    const host = new CustomNodeHost({ edge, settings: readSettings(context.env), logger, metrics, health });
    edge.start();
    await host.start();
    return {
      // Connecting is never given up, so this ends only with an environment in which there is nothing to connect to.
      done: edge.ready().then(() => new Promise<never>(() => undefined)),
      stop: async () => {
        await host.stop();
        await edge.close();
      },
    };
  },
});

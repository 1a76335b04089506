import { MODULES } from '@vantage/contracts';
import { EdgeModule } from '@vantage/edge-client';
import { resolveFfmpeg } from '@vantage/media';
import { runModule } from '@vantage/observability';
import { ActivityReporter } from './activity-reporter.ts';
import { MediaServer } from './media-server.ts';
import { readSettings } from './settings.ts';

await runModule({
  name: MODULES.rtspsim,
  start: async (context) => {
    const server = new MediaServer({
      ...readSettings(context.env),
      ffmpeg: await resolveFfmpeg({ environment: context.env }),
      logger: context.logger,
    });
    await server.start();
    // Cameras do not wait for a hub: without one, only the report is missing.
    const edge = new EdgeModule(context);
    const reporter = new ActivityReporter(server, edge);
    edge.start();
    reporter.start();
    return {
      stop: async () => {
        reporter.stop();
        await Promise.all([server.stop(), edge.close()]);
      },
    };
  },
});

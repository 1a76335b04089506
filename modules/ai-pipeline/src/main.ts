import { MODULES } from '@vantage/contracts';
import { EdgeModule } from '@vantage/edge-client';
import { runModule } from '@vantage/observability';
import { AiPipeline } from './ai-pipeline.ts';

await runModule({
  name: MODULES.aiPipeline,
  logLevelVariable: 'AI_PIPELINE_LOG_LEVEL',
  start: async (context) => {
    if (context.env['APPLICATIONINSIGHTS_CONNECTION_STRING'])
      context.logger.warn('APPLICATIONINSIGHTS_CONNECTION_STRING is set, and nothing is sent there: collect the log');
    // Cameras do not wait for a hub: without one, what was last good runs, and messages wait.
    const edge = new EdgeModule(context);
    edge.start();
    const pipeline = await AiPipeline.start(context, edge);
    return {
      // Connecting is never given up, so this ends only with an environment in which there is nothing to connect to.
      done: edge.ready().then(() => new Promise<never>(() => undefined)),
      stop: async () => {
        await pipeline.stop();
        await edge.close();
      },
    };
  },
});

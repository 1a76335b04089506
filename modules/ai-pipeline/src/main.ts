import { MODULES } from '@vantage/contracts';
import { EdgeModule } from '@vantage/edge-client';
import { runModule } from '@vantage/observability';
import { AiPipeline } from './ai-pipeline.ts';

await runModule({
  name: MODULES.aiPipeline,
  start: async (context) => {
    const edge = await EdgeModule.connect(context);
    const pipeline = await AiPipeline.start(context, edge);
    return {
      stop: async () => {
        await pipeline.stop();
        await edge.close();
      },
    };
  },
});

import { MODULES } from '@vantage/contracts';
import { EdgeModule } from '@vantage/edge-client';
import { runModule } from '@vantage/observability';
import { BusinessLogic } from './business-logic.ts';
import { loadDecision } from './load-decision.ts';

await runModule({
  name: MODULES.businessLogic,
  start: async (context) => {
    const decide = await loadDecision(context.env['BUSINESS_LOGIC_FILE']);
    const edge = await EdgeModule.connect(context);
    await new BusinessLogic({ edge, decide, logger: context.logger }).start();
    return { stop: () => edge.close() };
  },
});

import path from 'node:path';
import { isObject } from '@vantage/contracts';
import { KeptDocument } from '@vantage/edge-client';

/** The body of a configuration message that was applied. */
export interface AppliedConfiguration {
  readonly components: unknown;
  /** Desired `$version` of the controllermodule's twin; null when the message did not say. */
  readonly version: number | null;
}

/** The configuration that was applied last: a start without a network runs it. */
export type LastGood = KeptDocument<AppliedConfiguration>;

export function lastGoodIn(folder: string): LastGood {
  return new KeptDocument(path.join(folder, 'ai-pipeline.components.json'), (saved) =>
    isObject(saved) && 'components' in saved
      ? { components: saved['components'], version: typeof saved['version'] === 'number' ? saved['version'] : null }
      : undefined,
  );
}

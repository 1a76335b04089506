import path from 'node:path';
import { placementOf, type CustomParserSpec, type ModelSpec, type Variant } from '@vantage/inference';
import type { ModelStore } from '@vantage/model-store';
import type { Logger } from '@vantage/observability';
import type { ModelNode } from '@vantage/skill';
import type { Locate } from './engine/node-files.ts';
import { readModelConfig } from './model-config.ts';

export interface ModelResolverOptions {
  readonly store: ModelStore;
  /** Folder that relative paths of a twin without a zip start from. */
  readonly localRoot: string;
  readonly logger: Logger;
  /** Decides where networks run. Absent: in this process, on the processor. */
  readonly variant?: Variant;
}

/** Where a file lies that a twin names: in its package, which is fetched, or on this machine. */
export function locateIn({ store, localRoot }: Pick<ModelResolverOptions, 'store' | 'localRoot'>): Locate {
  return async ({ package: from, file }, signal) => {
    if (!from) return path.resolve(localRoot, file);
    return store.resolve(await store.fetch({ ...from, signal }), file);
  };
}

/**
 * From what a twin says about a model to everything a session needs: the package is fetched, the configuration read,
 * the ONNX file, the labels and a parser of the user's own found beside it. Every error names the file and says what to
 * do.
 */
export async function resolveModel(
  node: ModelNode,
  options: ModelResolverOptions,
  signal: AbortSignal = new AbortController().signal,
): Promise<ModelSpec> {
  const locate = locateIn(options);
  const place = (file: string): Promise<string> =>
    locate({ ...(node.package ? { package: node.package } : {}), file }, signal);
  const spec = await readModelConfig(await place(node.configFile), options.logger);
  const customParser = await parserOf(node, place);
  const wanted = typeof node.role === 'object' ? 'secondary' : 'primary';
  const { processMode } = spec.infer;
  if (processMode !== wanted && wanted === 'secondary') {
    options.logger.warn(`${spec.name} says process-mode=1; the twin names it as a secondary model, and so it runs`);
  } else if (processMode !== wanted) {
    options.logger.warn(`${spec.name} says process-mode=2; the twin names it as the primary model, and so it runs`);
  }
  const { variant } = options;
  return {
    ...spec,
    // A server that the configuration names stays where it is.
    ...(variant === undefined || spec.backend !== undefined ? {} : placementOf(variant, spec.infer)),
    infer: { ...spec.infer, processMode: wanted },
    ...(node.parser === undefined ? {} : { parser: node.parser }),
    ...(customParser ? { customParser } : {}),
  };
}

async function parserOf(
  { pyFile, jsFile }: ModelNode,
  place: (file: string) => Promise<string>,
): Promise<CustomParserSpec | undefined> {
  if (pyFile !== undefined) return { kind: 'python', file: await place(pyFile) };
  return jsFile === undefined ? undefined : { kind: 'js', file: await place(jsFile) };
}

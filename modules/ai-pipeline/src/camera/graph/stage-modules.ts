import type * as Snippet from '../snippet/snippet-stage.ts';
import type { CameraGraph } from './camera-graph.ts';
import type * as Custom from './custom/custom-stage.ts';

/** Code that only graphs with such nodes load: gRPC and encoders would make every camera start later. */
export interface StageModules {
  custom?: typeof Custom;
  snippet?: typeof Snippet;
}

/** Loads what the nodes of a graph need and is not there yet. */
export async function loadStageModules(loaded: StageModules, { nodes }: Pick<CameraGraph, 'nodes'>): Promise<void> {
  const has = (kind: string): boolean => nodes.some((node) => node.kind === kind);
  if (has('custom')) loaded.custom ??= await import('./custom/custom-stage.ts');
  if (has('snippet')) loaded.snippet ??= await import('../snippet/snippet-stage.ts');
}

import { existsSync } from 'node:fs';
import type { InferSpec } from '@vantage/deepstream';
import type { ModelSpec } from './model-spec.ts';

/** Kind of machine, as there is an image of the ai-pipeline for each. */
export type Variant = 'cpu' | 'dgpu' | 'jetson';

export interface DetectedVariant {
  readonly variant: Variant;
  /** For the report: what was seen, or who said so. */
  readonly reason: string;
}

const VARIANTS: readonly Variant[] = ['cpu', 'dgpu', 'jetson'];

/** `VANTAGE_VARIANT` where it is set, else what devices there are. */
export function detectVariant(
  env: NodeJS.ProcessEnv = process.env,
  exists: (file: string) => boolean = existsSync,
): DetectedVariant {
  const wished = env['VANTAGE_VARIANT'] ?? '';
  const forced = VARIANTS.find((variant) => variant === wished.toLowerCase());
  if (forced !== undefined) return { variant: forced, reason: `VANTAGE_VARIANT=${wished}` };
  const note = wished === '' ? '' : `; VANTAGE_VARIANT=${wished} is none of ${VARIANTS.join(', ')}`;
  const tegra = ['/etc/nv_tegra_release', '/dev/nvhost-gpu', '/dev/nvmap'].find(exists);
  if (tegra !== undefined) return { variant: 'jetson', reason: `there is ${tegra}${note}` };
  const nvidia = ['/dev/nvidia0', '/dev/dxg'].find(exists);
  if (nvidia !== undefined) return { variant: 'dgpu', reason: `there is ${nvidia}${note}` };
  return { variant: 'cpu', reason: `there is no NVIDIA device${note}` };
}

/**
 * Where a model runs on a kind of machine. In this process where ONNX Runtime's binding for Node is enough: it reads the
 * number of the device and no other option, so half precision, INT8, DLA and kept engines need the sidecar; on a Jetson
 * the binding knows the processor only.
 */
export function placementOf(
  variant: Variant,
  { networkMode, tensorRt }: Pick<InferSpec, 'networkMode' | 'tensorRt'>,
): Required<Pick<ModelSpec, 'backend' | 'providers'>> {
  switch (variant) {
    case 'cpu':
      return { backend: 'worker', providers: ['cpu'] };
    case 'dgpu':
      return networkMode === 'fp32' && !tensorRt.enableDla
        ? { backend: 'worker', providers: ['cuda', 'cpu'] }
        : { backend: 'sidecar', providers: ['tensorrt', 'cuda', 'cpu'] };
    case 'jetson':
      return { backend: 'sidecar', providers: ['tensorrt', 'cuda', 'cpu'] };
  }
}

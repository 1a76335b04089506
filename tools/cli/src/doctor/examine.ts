import { examineDecoding } from './decoding.ts';
import type { Finding } from './finding.ts';
import { examineHardware, type Hardware } from './hardware.ts';
import { examineInference } from './inference.ts';
import { examineServices } from './services.ts';

export interface Diagnosis {
  /** The image of the ai-pipeline that fits. */
  readonly variant: 'cpu' | 'dgpu' | 'jetson';
  /** Why this one, and what really runs models. */
  readonly summary: string;
  /** Nothing that is needed is missing. */
  readonly canRun: boolean;
  readonly findings: readonly Finding[];
}

/** Looks at this machine. Tries things rather than reading about them; takes a few seconds and changes nothing. */
export async function examine(): Promise<Diagnosis> {
  const hardware = await examineHardware();
  const [decoding, inference, services] = await Promise.all([
    examineDecoding(hardware),
    examineInference(hardware),
    examineServices(),
  ]);
  const node: Finding = { id: 'node', state: 'good', found: `${process.version} at ${process.execPath}` };
  const findings = [node, ...hardware.findings, ...decoding, ...inference, ...services];
  const variant = variantOf(hardware);
  return {
    variant,
    summary: summaryOf(variant, inference),
    canRun: findings.every(({ state }) => state !== 'missing'),
    findings,
  };
}

function variantOf({ gpu }: Hardware): Diagnosis['variant'] {
  if (gpu === 'jetson') return 'jetson';
  return gpu === 'nvidia' ? 'dgpu' : 'cpu';
}

function summaryOf(variant: Diagnosis['variant'], inference: readonly Finding[]): string {
  const works = (id: string): boolean => inference.some((one) => one.id === id && one.state === 'good');
  const image = `The ${variant} image fits this machine`;
  if (!works('inference.cpu')) return `${image}, but models do not run on it as it is.`;
  if (variant === 'cpu') return `${image}; models run on its processor.`;
  const fast = works('inference.tensorrt') || works('inference.sidecar') ? 'TensorRT' : undefined;
  const provider = fast ?? (works('inference.cuda') ? 'CUDA' : undefined);
  return provider === undefined
    ? `${image}; as it is, without the image, models run on its processor only.`
    : `${image}; models run with ${provider}.`;
}

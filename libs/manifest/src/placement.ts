import { isObject } from '@vantage/contracts';
import { joinChunks, parseCreateOptions } from './create-options.ts';
import { viewDeployment } from './inspect/deployment-view.ts';
import { error, type DeploymentProblem } from './inspect/problem.ts';
import { type Json, toPlain } from './json.ts';

/** Labels of createOptions that say which devices a module is made for, in the words of the skill's form. */
export const PLACEMENT_LABELS = {
  architecture: 'vantage.architecture',
  acceleration: 'vantage.acceleration',
} as const;

/** What a platform of `module.json` has: `amd64.dgpu` is an X64 machine with a CPU and an Nvidia GPU. */
interface Device {
  readonly architecture: string;
  readonly accelerations: readonly string[];
}

const ACCELERATIONS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  X64: { dgpu: 'Nvidia dGPU', igpu: 'Intel iGPU', openvino: 'Intel iGPU' },
  ARM64: { jetson: 'Nvidia Jetson (Jetpack 5)' },
};

function deviceOf(platform: string): Device {
  const [base = '', ...variants] = platform.toLowerCase().split('.');
  const architecture = /amd64|x64|x86_64/.test(base) ? 'X64' : /^arm64|aarch64/.test(base) ? 'ARM64' : base;
  const known = ACCELERATIONS[architecture] ?? {};
  const accelerations = variants.flatMap((variant) => known[variant] ?? []);
  return { architecture, accelerations: architecture === 'X64' ? ['CPU', ...accelerations] : accelerations };
}

/**
 * Modules that are made for other devices than those of a platform.
 *
 * @param platform as `vantage generate --platform` takes it: `amd64`, `arm64v8.jetson`
 */
export function inspectPlacement(manifest: Json, platform: string): DeploymentProblem[] {
  const device = deviceOf(platform);
  return viewDeployment(toPlain(manifest)).modules.flatMap(({ name, path, value }) => {
    const labels = labelsOf(value['settings']);
    const [architecture, acceleration] = [labels[PLACEMENT_LABELS.architecture], labels[PLACEMENT_LABELS.acceleration]];
    if (typeof architecture !== 'string') return [];
    const wants = typeof acceleration === 'string' ? `${architecture} with ${acceleration}` : architecture;
    if (architecture !== device.architecture) {
      return [
        error(path, `${name} is made for ${wants}; a device of the platform ${platform} is ${device.architecture}`),
      ];
    }
    if (typeof acceleration !== 'string' || device.accelerations.includes(acceleration)) return [];
    const has = device.accelerations.join(' and ') || 'nothing of the kind';
    const choice = Object.entries(ACCELERATIONS[architecture] ?? {}).find(([, one]) => one === acceleration)?.[0];
    const hint = choice === undefined ? '' : `; where the device has it, the platform is ${baseOf(platform)}.${choice}`;
    return [error(path, `${name} is made for ${wants}; a device of the platform ${platform} has ${has}${hint}`)];
  });
}

function baseOf(platform: string): string {
  return platform.split('.')[0] ?? platform;
}

/** Labels of a module's createOptions, whichever way they are written. */
export function labelsOf(settings: unknown): Readonly<Record<string, unknown>> {
  if (!isObject(settings)) return {};
  try {
    const { createOptions } = settings;
    const options = isObject(createOptions) ? createOptions : parseCreateOptions(joinChunks(settings));
    return isObject(options['Labels']) ? options['Labels'] : {};
  } catch {
    // Said by those who look at createOptions.
    return {};
  }
}

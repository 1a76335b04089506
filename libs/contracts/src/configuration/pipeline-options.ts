import type { z } from 'zod';
import { isObject } from '../json.ts';
import {
  analyticsSchema,
  cameraHealthSchema,
  cropSchema,
  dewarpSchema,
  osdSchema,
  pipelineOptionsSchema,
} from '../twins/controller-twin.ts';
import { pathOf, typeName, withoutNulls, type Report } from './report.ts';
import type { CameraHealthConfig, Crop } from './types.ts';

const LEFT_OUT = 'The pipeline is left out.';

export interface DrawnOptions {
  readonly dewarp?: { readonly configFile: string };
  readonly crop?: Crop;
  readonly analytics?: { readonly configFile: string };
  readonly cameraHealth?: CameraHealthConfig;
  readonly osd: boolean;
}

/** `pipelineOptions`; `{}` and absent parts mean off (the original needed all three, J). */
export function readPipelineOptions(value: unknown, path: string, report: Report): DrawnOptions {
  if (value === undefined || value === null) return { osd: false };
  if (!isObject(value)) {
    report.error(path, `expected an object, found ${typeName(value)}. ${LEFT_OUT}`);
    return { osd: false };
  }
  report.unknownKeys(value, Object.keys(pipelineOptionsSchema.shape), path);
  const dewarp = readFile(dewarpSchema, 'dewarp', value['dewarp'], pathOf(path, 'dewarp'), report);
  const analytics = readFile(analyticsSchema, 'analytics', value['analytics'], pathOf(path, 'analytics'), report);
  const crop = readCrop(value['crop'], pathOf(path, 'crop'), report);
  const health = part(cameraHealthSchema, value['cameraHealth'], pathOf(path, 'cameraHealth'), report);
  const osd = part(osdSchema, value['osd'], pathOf(path, 'osd'), report);
  return {
    ...(dewarp === undefined ? {} : { dewarp }),
    ...(crop === undefined ? {} : { crop }),
    ...(analytics === undefined ? {} : { analytics }),
    ...(health === undefined ? {} : { cameraHealth: healthOf(health) }),
    osd: osd?.enable ?? false,
  };
}

function healthOf({ enable = true, ...settings }: z.infer<typeof cameraHealthSchema>): CameraHealthConfig {
  if (!enable) return false;
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));
}

/** One of the parts; absent is undefined. */
function part<Shape extends z.ZodRawShape>(schema: z.ZodObject<Shape>, value: unknown, path: string, report: Report) {
  if (value === undefined || value === null) return undefined;
  if (isObject(value)) report.unknownKeys(value, Object.keys(schema.shape), path);
  return report.parse(schema, isObject(value) ? withoutNulls(value) : value, path, LEFT_OUT);
}

function readFile(
  schema: typeof dewarpSchema | typeof analyticsSchema,
  name: 'dewarp' | 'analytics',
  value: unknown,
  path: string,
  report: Report,
): { readonly configFile: string } | undefined {
  const read = part(schema, value, path, report);
  if (read?.enable !== true) return undefined;
  const configFile = read.config_file?.trim() ?? '';
  if (configFile === '') {
    report.error(
      pathOf(path, 'config_file'),
      `is missing, and ${name} is enabled. Name its file or disable it. ${LEFT_OUT}`,
    );
    return undefined;
  }
  return { configFile };
}

/** Contract B.1: both corners are inclusive. The frame size is not known here; the pipeline clamps. */
function readCrop(value: unknown, path: string, report: Report): Crop | undefined {
  const crop = part(cropSchema, value, path, report);
  if (crop?.enable !== true) return undefined;
  const { x0, x1, y0, y1 } = crop;
  for (const [key, item] of Object.entries({ x0, x1, y0, y1 })) {
    if (item === undefined)
      report.error(pathOf(path, key), `is missing, and crop is enabled. Give x0, x1, y0 and y1 in pixels. ${LEFT_OUT}`);
  }
  if (x0 === undefined || x1 === undefined || y0 === undefined || y1 === undefined) return undefined;
  if (x1 < x0) report.error(pathOf(path, 'x1'), `is left of x0. ${LEFT_OUT}`);
  if (y1 < y0) report.error(pathOf(path, 'y1'), `is above y0. ${LEFT_OUT}`);
  if (x1 < x0 || y1 < y0) return undefined;
  return { left: x0, top: y0, width: x1 - x0 + 1, height: y1 - y0 + 1 };
}

import { readFile } from 'node:fs/promises';
import { MODULES, VantageError, isObject, messageOf } from '@vantage/contracts';
import { desiredOf, findHub } from '@vantage/hub';
import pc from 'picocolors';
import type { HubOptions } from '../hub/options.ts';
import { table } from '../table.ts';
import { wholeTwin } from '../twin/whole-twin.ts';
import { verifyFolder, type VerifiedClip, type VerifyReport, type VerifyRequest } from './verify.ts';

export interface VerifyOptions extends HubOptions {
  readonly config?: string;
  readonly sensor?: string;
  readonly logic?: string;
  readonly json: boolean;
  readonly verbose: boolean;
}

/** @returns exit status: 0 all as expected, 1 something is red */
export async function runVerify(folder: string, options: VerifyOptions): Promise<number> {
  const { json, sensor, verbose, logic = process.env['BUSINESS_LOGIC_FILE'] } = options;
  const from = options.config === undefined ? await fromHub(options) : await fromFile(options.config);
  const report = await verifyFolder({
    ...from,
    ...{ folder, logic, verbose },
    ...(sensor === undefined ? {} : { sensor }),
    onClip: ({ passed, file }) => {
      if (!json && process.stderr.isTTY) process.stderr.write(`${mark(passed)} ${file}\n`);
    },
  });
  process.stdout.write(json ? `${JSON.stringify(report, null, 2)}\n` : `${reportLines(report).join('\n')}\n`);
  return report.passed ? 0 : 1;
}

/** The red and green table, and what was wrong. */
export function reportLines({ clips, passed }: VerifyReport): string[] {
  const rows = clips.map(({ passed: good, file, sensor, expect, got, ...clip }) => [
    mark(good),
    file,
    sensor,
    expect === 'fire' ? 'fire' : 'stay quiet',
    got,
    detail({ ...clip, expect, got }),
  ]);
  const red = clips.filter((clip) => !clip.passed).length;
  const sum = passed
    ? pc.green(clips.length === 1 ? 'the clip is as it should be' : `${clips.length} clips as they should be`)
    : pc.red(`${red} of ${clips.length} clips are not as they should be`);
  return [...table(['', 'clip', 'camera', 'should', 'did', ''], rows), '', sum];
}

function detail({
  alerts,
  error,
  expect,
  got,
  nearest,
}: Pick<VerifiedClip, 'alerts' | 'error' | 'expect' | 'got' | 'nearest'>): string {
  if (error !== undefined) return error;
  const [first] = alerts;
  if (first) {
    const what = first.detail === '' ? first.type : `${first.type} (${first.detail})`;
    return `${what} at ${first.seconds.toFixed(1)} s${alerts.length > 1 ? ` and ${alerts.length - 1} more` : ''}`;
  }
  return expect === 'fire' && got === 'quiet' && nearest.length > 0 ? `nearest: ${nearest.slice(0, 3).join(', ')}` : '';
}

function mark(passed: boolean): string {
  return passed ? pc.green('pass') : pc.red('FAIL');
}

type Configured = Pick<VerifyRequest, 'configuration' | 'settings'>;

async function fromHub(options: HubOptions): Promise<Configured> {
  const hub = await findHub(options);
  const [controller, pipeline] = await Promise.all(
    [MODULES.controller, MODULES.aiPipeline].map((module) => hub.moduleTwin(module)),
  );
  return {
    configuration: controller && (await wholeTwin(desiredOf(controller), options)),
    settings: pipeline && (await wholeTwin(desiredOf(pipeline), options)),
  };
}

/** Desired properties of the controllermodule, or a manifest that holds them. @throws VantageError CONFIG_FILE_INVALID */
async function fromFile(file: string): Promise<Configured> {
  let value: unknown;
  try {
    value = JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    throw new VantageError('CONFIG_FILE_INVALID', `${file}: ${messageOf(error)}`);
  }
  const content: unknown = isObject(value) ? (value['modulesContent'] ?? value['content']) : undefined;
  const modules = isObject(content) && isObject(content['modulesContent']) ? content['modulesContent'] : content;
  if (!isObject(modules)) return { configuration: value };
  const desired = (name: string): unknown => {
    const module = modules[name];
    return isObject(module) ? module['properties.desired'] : undefined;
  };
  return { configuration: desired(MODULES.controller), settings: desired(MODULES.aiPipeline) };
}

import os from 'node:os';
import path from 'node:path';
import { loadDecision } from '@vantage/business-logic-module';
import { AI_PIPELINE_DEFAULTS, VantageError, readAiPipelineTwin, validateConfiguration } from '@vantage/contracts';
import { resolveFfmpeg } from '@vantage/media';
import { createLogger, silentLogger } from '@vantage/observability';
import { compileComponents } from '@vantage/skill';
import { PARSER_NAMES } from '@vantage/vision';
import { clipsIn, type TaggedClip } from './clips.ts';
import { Replayer, type Alert, type Replay } from './replayer.ts';
import { cameraOf } from './which-camera.ts';

export interface VerifyRequest {
  readonly folder: string;
  /** Desired properties of the controllermodule. */
  readonly configuration: unknown;
  /** Of the ai-pipeline; absent: its defaults. */
  readonly settings?: unknown;
  /** The camera that all clips stand for which do not say. */
  readonly sensor?: string;
  /** Decision logic of the user's own (`BUSINESS_LOGIC_FILE`). */
  readonly logic?: string | undefined;
  readonly verbose?: boolean;
  readonly onClip?: (result: VerifiedClip) => void;
}

export interface VerifiedClip extends Pick<Replay, 'frames' | 'nearest' | 'error'> {
  readonly file: string;
  readonly sensor: string;
  readonly expect: TaggedClip['expect'];
  readonly event?: string;
  readonly got: 'fired' | 'quiet' | 'error';
  readonly passed: boolean;
  /** What counts: of the event that is named, else all but those of camera health. */
  readonly alerts: readonly Alert[];
}

export interface VerifyReport {
  readonly passed: boolean;
  readonly clips: readonly VerifiedClip[];
}

/**
 * Replays tagged clips through a configuration and compares what fires with what should.
 *
 * @throws VantageError VERIFY_FOLDER_INVALID, VERIFY_CAMERA_UNKNOWN, PIPELINE_INVALID
 */
export async function verifyFolder(request: VerifyRequest): Promise<VerifyReport> {
  const { folder, configuration, settings, sensor, logic, verbose, onClip } = request;
  const clips = await clipsIn(folder);
  const { components, errors } = validateConfiguration(configuration, { parsers: PARSER_NAMES });
  if (!components) throw new VantageError('PIPELINE_INVALID', errors[0]?.message ?? 'the configuration says nothing');
  const { graphs } = compileComponents(components);
  const logger = verbose === true ? createLogger({ module: 'verify', destination: process.stderr }) : silentLogger;
  const replayer = new Replayer({
    ...{ components, graphs, logger },
    messageEveryNFrames:
      settings === undefined
        ? AI_PIPELINE_DEFAULTS.messageEveryNFrames
        : readAiPipelineTwin(settings).settings.messageEveryNFrames,
    decide: await loadDecision(logic),
    ffmpeg: await resolveFfmpeg(),
    cacheFolder: path.join(os.tmpdir(), 'vantage-models'),
  });
  try {
    const cameras = await Promise.all(clips.map((clip) => cameraOf(clip, replayer.sensors, sensor)));
    const results: VerifiedClip[] = [];
    for (const [at, clip] of clips.entries()) {
      const camera = cameras[at] ?? '';
      const result = judge(clip, camera, await replayer.replay(clip.file, camera));
      results.push(result);
      onClip?.(result);
    }
    return { passed: results.every(({ passed }) => passed), clips: results };
  } finally {
    await replayer.stop();
  }
}

function judge({ name, expect, event }: TaggedClip, sensor: string, replay: Replay): VerifiedClip {
  const { frames, nearest, error } = replay;
  const alerts = replay.alerts.filter(({ type, detail }) =>
    event === undefined ? !type.startsWith('camera') : type === event || detail === event,
  );
  const fired = alerts.length > 0;
  const got = error === undefined ? (fired ? 'fired' : 'quiet') : 'error';
  return {
    ...{ file: name, sensor, expect, ...(event === undefined ? {} : { event }), got },
    passed: got !== 'error' && fired === (expect === 'fire'),
    ...{ alerts, frames, nearest, ...(error === undefined ? {} : { error }) },
  };
}

import { VantageError, messageOf } from '@vantage/contracts';
import { TASK_PARSERS, UNTRACKED, type Attribute, type Box, type TensorData, type TensorInfo } from '@vantage/vision';
import { customParserFailed } from '../errors.ts';
import type { CustomParserSpec, ModelSpec } from '../model-spec.ts';
import type { Placement } from '../picture/input-tensor.ts';
import type { ModelReader } from './reader.ts';

/** Takes what parsers and sessions say for a log. Text and fields are plain data. */
export type InferenceLog = (
  level: 'debug' | 'info' | 'warn' | 'error',
  text: string,
  fields?: Readonly<Record<string, unknown>>,
) => void;

/** What a module that hosts custom parsers exports; `@vantage/parser-host` does. */
export interface ParserHost {
  openParser(
    spec: CustomParserSpec & {
      readonly role: 'primary' | 'secondary';
      readonly labels: readonly string[];
      readonly networkSize: { readonly width: number; readonly height: number };
      readonly log: InferenceLog;
    },
  ): Promise<HostedParser>;
}

interface HostedParser {
  readonly info: { readonly name: string; readonly runtime?: string };
  read(tensors: readonly TensorData[]): Promise<{
    readonly detections?: readonly {
      readonly classId: number;
      readonly label: string;
      readonly confidence: number;
      readonly box: Box;
      readonly attributes?: readonly Attribute[];
    }[];
    readonly overlay?: unknown;
    readonly message?: unknown;
    readonly error?: string;
  }>;
  close(): Promise<void>;
}

export interface CustomReaderOptions {
  /** URL of the module that hosts parsers; undefined where there is none. */
  readonly parserHost: string | undefined;
  readonly log: InferenceLog;
}

/** Boxes of a custom parser are in pixels of a picture of this size, whatever the camera sends (contract D.4). */
const PARSER_PICTURE = { width: 1280, height: 720 };

/**
 * Hands the outputs to a parser of the user's own, which runs in a process of its own.
 *
 * @throws VantageError `CUSTOM_PARSER_FAILED`, and the host's own
 */
export async function openCustomReader(
  spec: ModelSpec,
  custom: CustomParserSpec,
  outputs: readonly TensorInfo[],
  size: { readonly width: number; readonly height: number },
  { parserHost, log }: CustomReaderOptions,
): Promise<ModelReader> {
  if (parserHost === undefined) throw customParserFailed(spec.name, custom.file, 'nothing here runs parsers');
  const parser = await openParser(spec, custom, size, parserHost, log);
  const { infer, labels } = spec;
  const split = TASK_PARSERS.find(({ task }) => task === 'tensors')?.create(
    outputs,
    { ...size, labels },
    { labels, componentId: infer.gieUniqueId },
  );
  return {
    parser: `${custom.kind}: ${parser.info.name}`,
    reason: `the configuration names ${custom.file}${parser.info.runtime ? `, which runs in ${parser.info.runtime}` : ''}`,
    isText: false,
    canRehearse: false,
    async read(tensors, index, placement) {
      const own = split?.(tensors, index, placement.fit);
      const one = own?.task === 'tensors' ? (own.tensors as readonly TensorData[]) : tensors;
      const { detections, message, overlay, error } = await parser.read(one);
      if (error !== undefined) {
        if (detections === undefined && message === undefined) throw new Error(error);
        log('warn', error, { parser: parser.info.name });
      }
      const inFrame = scaling(placement);
      return {
        detections: (detections ?? []).map(({ classId, label, confidence, box, attributes = [] }) => {
          const componentId = infer.gieUniqueId;
          return { classId, label, confidence, box: inFrame(box), trackingId: UNTRACKED, componentId, attributes };
        }),
        attributes: [],
        ...(message === undefined ? {} : { custom: message }),
        ...(overlay === undefined ? {} : { overlay }),
      };
    },
    close: () => parser.close(),
  };
}

async function openParser(
  { name, infer, labels }: ModelSpec,
  custom: CustomParserSpec,
  { width, height }: { readonly width: number; readonly height: number },
  parserHost: string,
  log: InferenceLog,
): Promise<HostedParser> {
  try {
    const host = (await import(parserHost)) as ParserHost;
    return await host.openParser({ ...custom, role: infer.processMode, labels, networkSize: { width, height }, log });
  } catch (error) {
    if (VantageError.is(error)) throw error;
    throw customParserFailed(name, custom.file, messageOf(error));
  }
}

function scaling({ fit, left, top }: Placement): (box: Box) => Box {
  const perX = fit.sourceWidth / PARSER_PICTURE.width;
  const perY = fit.sourceHeight / PARSER_PICTURE.height;
  return (box) => ({
    left: left + box.left * perX,
    top: top + box.top * perY,
    width: box.width * perX,
    height: box.height * perY,
  });
}

import path from 'node:path';
import { table } from '../../table.ts';
import { frameJson } from '../../infer/frame-json.ts';
import { frameText } from '../../infer/frame-text.ts';
import { describeValue } from '../proposal/picture-input.ts';
import type { Check } from './check.ts';
import type { OnnxFacts } from './onnx-facts.ts';

/** A value of the metadata longer than this is cut. */
const MAX_VALUE = 100;

/** A check as one JSON document. */
export function checkJson(check: Check): string {
  const { subject, plan, model, seen, tried, drawn, speed } = check;
  const { facts, proposal, config } = plan;
  const document = {
    given: subject.given,
    kind: subject.kind,
    ...(facts ? { model: factsJson(facts) } : {}),
    config: {
      source: plan.source,
      ...(plan.configFile === undefined ? {} : { file: plan.configFile }),
      ...(plan.text === undefined ? {} : { text: plan.text }),
      ...(plan.labels ? { labels: plan.labels.names } : {}),
      ...(plan.secondaries.length > 0 ? { secondaries: plan.secondaries } : {}),
    },
    parser: parserOf(check),
    ...(proposal ? { preparation: proposal.preparation } : {}),
    notes: [...plan.notes, ...(proposal?.notes ?? [])],
    problems: (config?.config.problems ?? []).map(({ severity, line, message }) => ({ severity, line, message })),
    foreign: subject.foreign,
    ...(model ? { loaded: model } : {}),
    ...(tried
      ? {
          tried: tried.map(({ preparation: { why }, clearness }) => ({
            why,
            clearness: Math.round(clearness * 1e4) / 1e4,
          })),
        }
      : {}),
    pictures: seen.map(({ file, frame }) => JSON.parse(frameJson(frame, file)) as unknown),
    ...(drawn === undefined ? {} : { drawn }),
    ...(speed ? { speed } : {}),
  };
  return `${JSON.stringify(document, undefined, 2)}\n`;
}

function factsJson({ file, bytes, sha256, model, parameters, known }: OnnxFacts): Record<string, unknown> {
  return {
    file,
    bytes,
    sha256,
    producer: model.producer,
    irVersion: model.irVersion,
    opsets: Object.fromEntries(model.opsets),
    parameters,
    inputs: model.inputs,
    outputs: model.outputs,
    metadata: Object.fromEntries(model.metadata),
    ...(known ? { catalog: known.name } : {}),
  };
}

function parserOf({ plan, model }: Check): { name: string; reason: string } | undefined {
  if (model) return { name: model.parser, reason: model.parserReason };
  const choice = plan.proposal?.choice;
  return choice ? { name: choice.parser.name, reason: choice.reason } : undefined;
}

/** A check for people. */
export function checkText(check: Check): string {
  const { subject, plan, model, seen, tried, drawn, speed } = check;
  const { facts, proposal, config } = plan;
  const parser = parserOf(check);
  const lines = [
    ...(facts ? factsLines(facts) : []),
    ...(parser
      ? ['', `parser    ${parser.reason.startsWith(parser.name) ? parser.reason : `${parser.name}: ${parser.reason}`}`]
      : []),
    ...(proposal ? [`pictures  ${proposal.preparation.why}${proposal.preparation.sure ? '' : ' (a guess)'}`] : []),
    ...(plan.labels ? [`labels    ${plan.labels.why}`] : []),
    ...(model
      ? [`runs on   ${model.provider}${model.providerReason === undefined ? '' : ` (${model.providerReason})`}`]
      : []),
    ...section(
      'not used here',
      subject.foreign.map(({ file, sentence }) => `${file}: ${sentence}`),
    ),
    ...section('notes', [...plan.notes, ...(proposal?.notes ?? [])]),
    ...section(
      'problems',
      (config?.config.problems ?? []).map(
        ({ severity, line, message }) => `${severity}${line > 0 ? ` line ${line}` : ''}: ${message}`,
      ),
    ),
    ...(tried ? triedLines(tried, proposal?.preparation.why ?? '') : []),
    ...section(
      'pictures',
      seen.map(({ file, frame }) => frameText(frame, path.basename(file))),
    ),
    ...(drawn === undefined ? [] : ['', `drawn into ${drawn}`]),
    ...(speed ? speedLines(speed) : []),
    ...(plan.text === undefined ? [] : configLines(check)),
  ];
  return `${lines.map(printable).join('\n')}\n`;
}

function factsLines({ file, bytes, model, parameters, known, sha256 }: OnnxFacts): string[] {
  const opset = model.opsets.get('ai.onnx');
  const size = `${(bytes / 1024 ** 2).toFixed(1)} MiB, ${(parameters / 1e6).toFixed(2)} million weights`;
  const metadata = [...model.metadata].map(([key, value]) => {
    return `  ${key} = ${value.length > MAX_VALUE ? `${value.slice(0, MAX_VALUE)}...` : value}`;
  });
  return [
    `${path.basename(file)}  ${size}, opset ${opset ?? '?'}${model.producer === '' ? '' : `, by ${model.producer}`}`,
    ...(known ? [`this is ${known.name} of the catalog: ${known.title} (${known.licence})`] : [`sha256    ${sha256}`]),
    ...model.inputs.map((input) => `input     ${describeValue(input)}`),
    ...model.outputs.slice(0, 20).map((output) => `output    ${describeValue(output)}`),
    ...(model.outputs.length > 20 ? [`          and ${model.outputs.length - 20} more outputs`] : []),
    ...(metadata.length > 0 ? ['metadata', ...metadata.slice(0, 30)] : []),
  ];
}

function triedLines(tried: NonNullable<Check['tried']>, taken: string): string[] {
  const rows = tried.map(({ preparation: { why }, clearness }) => [
    why === taken ? '->' : '',
    clearness.toFixed(2),
    why,
  ]);
  return [
    '',
    'ways to prepare pictures, by how much the model sees in yours',
    ...table(['', 'clearness', 'way'], rows).map(indent),
  ];
}

function speedLines({
  latencyMs,
  perSecond,
  cpuMs,
  decodeMs,
  decodeOf,
  cores,
  provider,
  cameras,
}: NonNullable<Check['speed']>): string[] {
  const rows = cameras.map(({ rate, cameras: count, limit }) => [
    String(rate),
    String(count),
    limit === 'model' ? 'the model' : 'the processor',
  ]);
  return [
    '',
    `speed on ${provider}, ${cores} cores`,
    `  latency ${latencyMs.p50.toFixed(1)} ms (95 %: ${latencyMs.p95.toFixed(1)} ms), ${perSecond.toFixed(1)} pictures/s with all sessions busy`,
    `  a picture costs ${cpuMs.toFixed(1)} ms of processor time, decoding a frame ${decodeMs.toFixed(1)} ms (${decodeOf})`,
    '',
    'cameras of 25 frames/s that this machine carries, by pictures/s that the model looks at',
    ...table(['pictures/s', 'cameras', 'limited by'], rows).map(indent),
  ];
}

function configLines({ plan, subject }: Check): string[] {
  const what = plan.source === 'catalog' ? 'configuration of the catalog' : 'proposed configuration';
  return [
    '',
    `${what} ("--write" puts it beside the model, "vantage model pack ${subject.given} --out model.zip" packs it)`,
    ...(plan.text ?? '').trimEnd().split('\n').map(indent),
  ];
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ['', title, ...lines.map(indent)];
}

function indent(line: string): string {
  return `  ${line}`;
}

/** A model's names and metadata may hold what would steer the terminal; colours of tables are our own. */
function printable(line: string): string {
  return line.replace(/[\u0000-\u0009\u000B-\u001A\u001C-\u001F\u007F-\u009F]|\u001B(?!\[\d{1,2}m)/g, '?');
}

import { readSync, writeSync } from 'node:fs';
import { Socket } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { MAX_OBJECTS, ROW_NUMBERS, type RequestHeader } from '../wire.ts';
import type {
  ParserOutputs,
  ParserTensor,
  PrimaryParserConfig,
  PrimaryParserModule,
  SecondaryParserModule,
} from './parser-api.ts';

/**
 * Runs one custom parser in JavaScript. File descriptors and protocol as in vantage_parser.py; this file is the main
 * file of a process and exports nothing.
 */

const SOCKET = 3;
const TENSORS = 4;
const MAX_MESSAGE_CHARACTERS = 256 * 1024;
const ARRAYS = { float32: Float32Array, int8: Int8Array, int32: Int32Array } as const;

interface Setup {
  readonly file: string;
  readonly role: 'primary' | 'secondary';
  readonly labels: readonly string[];
  readonly imageSize: readonly [number, number];
  readonly networkSize: readonly [number, number];
  readonly memoryLimitMb: number;
}

/** The parser answered, but not what the API asks for. */
class Unusable extends Error {}

class Answer {
  readonly problems: string[] = [];
  message: unknown;
  rows: number[] = [];

  putMessage(message: unknown): void {
    if (message === undefined || message === null) return;
    let text: string | undefined;
    try {
      text = JSON.stringify(message);
    } catch (error) {
      this.problems.push(`the message is left out: ${(error as Error).message.split('\n')[0]}`);
      return;
    }
    if (text === undefined) {
      this.problems.push(`the message is left out: JSON cannot say a ${typeof message}`);
    } else if (text.length > MAX_MESSAGE_CHARACTERS) {
      this.problems.push(`the message is left out: ${text.length} bytes, more than ${MAX_MESSAGE_CHARACTERS}`);
    } else {
      this.message = message;
    }
  }

  putDetections(boxes: unknown, classIds: unknown, scores: unknown): void {
    const count = lengthOf(boxes, 'boxes');
    if (count !== lengthOf(classIds, 'classIds') || count !== lengthOf(scores, 'scores')) {
      const counts = `${count} boxes, ${lengthOf(classIds, '')} class ids and ${lengthOf(scores, '')} scores`;
      throw new Unusable(`parseDetModel gave ${counts}`);
    }
    let notFinite = 0;
    let negative = 0;
    for (let i = 0; i < count; i += 1) {
      const box = (boxes as ArrayLike<ArrayLike<number>>)[i];
      if (lengthOf(box, `box ${i}`) < 4) throw new Unusable(`box ${i} is not [left, top, width, height]`);
      const four = box as ArrayLike<number>;
      const row = [
        (classIds as ArrayLike<number>)[i],
        (scores as ArrayLike<number>)[i],
        four[0],
        four[1],
        four[2],
        four[3],
      ];
      const numbers = row.map(Number);
      if (!numbers.every(Number.isFinite)) notFinite += 1;
      else if ((numbers[4] as number) < 0 || (numbers[5] as number) < 0) negative += 1;
      else if (this.rows.length < MAX_OBJECTS * ROW_NUMBERS) this.rows.push(...numbers);
    }
    if (notFinite > 0) this.problems.push(`${notFinite} of ${count} objects hold NaN or infinity`);
    if (negative > 0) this.problems.push(`${negative} of ${count} boxes have a negative size`);
    const kept = count - notFinite - negative;
    if (kept > MAX_OBJECTS) this.problems.push(`only the first ${MAX_OBJECTS} of ${kept} objects are kept`);
  }
}

function lengthOf(value: unknown, name: string): number {
  const length = (value as ArrayLike<unknown> | undefined)?.length;
  if (typeof length !== 'number') throw new Unusable(`parseDetModel gave no array for ${name}`);
  return length;
}

async function load(setup: Setup): Promise<{ info: object; read: (outputs: ParserOutputs) => Promise<Answer> }> {
  const module = (await import(pathToFileURL(setup.file).href)) as Partial<PrimaryParserModule & SecondaryParserModule>;
  const runtime = `Node ${process.versions.node}`;
  if (setup.role === 'secondary') {
    const { gieUniqueId, parseSgieModel } = module;
    if (typeof gieUniqueId !== 'number') throw new Unusable('it must export gieUniqueId, a number');
    if (typeof parseSgieModel !== 'function') throw new Unusable('it must export a function parseSgieModel');
    const name = module.name ?? path.basename(setup.file).split('.')[0];
    const read = async (outputs: ParserOutputs): Promise<Answer> => {
      const answer = new Answer();
      answer.putMessage(await parseSgieModel({}, outputs));
      return answer;
    };
    return { info: { name, labels: [], gieUniqueId, runtime }, read };
  }
  const { name, modelType } = module;
  if (typeof name !== 'string') throw new Unusable('it must export name, a string');
  if (modelType !== 0 && modelType !== 1) throw new Unusable('it must export modelType, 0 (detection) or 1 (custom)');
  const functionName = modelType === 0 ? 'parseDetModel' : 'parseCustomModel';
  if (typeof module[functionName] !== 'function') {
    throw new Unusable(`modelType is ${modelType}, so it must export a function ${functionName}`);
  }
  const labels = (module.labels ?? setup.labels).map(String);
  const { imageSize, networkSize } = setup;
  const config: PrimaryParserConfig = { imageSize, networkSize, labels, detTh: 0.5, mnsTh: 0.213, modelType, name };
  const read = (outputs: ParserOutputs): Promise<Answer> => readPrimary(module, config, outputs);
  return { info: { name, modelType: modelType === 0 ? 'detection' : 'custom', labels, runtime }, read };
}

async function readPrimary(
  module: Partial<PrimaryParserModule>,
  config: PrimaryParserConfig,
  outputs: ParserOutputs,
): Promise<Answer> {
  const answer = new Answer();
  if (config.modelType === 1) {
    const result: unknown = await module.parseCustomModel?.(config, outputs);
    if (!Array.isArray(result)) throw new Unusable('parseCustomModel must return [data, message]');
    if (result[1]) answer.putMessage(result[1]);
    return answer;
  }
  const result: unknown = await module.parseDetModel?.(config, outputs);
  if (!Array.isArray(result) || result.length < 3) {
    throw new Unusable('parseDetModel must return [boxes, classIds, scores, message]');
  }
  const [boxes, classIds, scores, message] = result as unknown[];
  if (message) answer.putMessage(message);
  answer.putDetections(boxes, classIds, scores);
  return answer;
}

function readOutputs(request: RequestHeader): ParserOutputs {
  const outputs: Record<string, ParserTensor | null> = {};
  for (const { name, type, dims, offset } of request.tensors) {
    if (type === null) {
      outputs[name] = null;
      continue;
    }
    const data = new ARRAYS[type](dims.reduce((product, dim) => product * dim, 1));
    const bytes = new Uint8Array(data.buffer);
    for (let done = 0; done < bytes.length;) {
      const count = readSync(TENSORS, bytes, done, bytes.length - done, offset + done);
      if (count === 0) throw new Error('the shared memory is too short');
      done += count;
    }
    outputs[name] = { dims, data };
  }
  return outputs;
}

/** One line: what, and where in the parser's own files. */
function describe(error: unknown, file: string): string {
  if (!(error instanceof Error)) return `it threw ${typeof error === 'string' ? error : typeof error}`;
  const what = error instanceof Unusable ? error.message : `${error.name}: ${error.message}`;
  const folder = pathToFileURL(path.dirname(file)).href;
  const place = (error.stack ?? '')
    .split('\n')
    .map(
      (line) =>
        /(?:at (?:async )?(?<where>\S+) \()?(?<url>file:\/\/[^\s()]+?):(?<line>\d+)(?::\d+)?\)?$/.exec(line)?.groups,
    )
    .find((groups) => groups?.['url']?.startsWith(`${folder}/`));
  if (place === undefined) return what;
  const inside = place['where'] === undefined ? '' : ` in ${place['where']}`;
  const relative = decodeURIComponent((place['url'] as string).slice(folder.length + 1));
  return `${what} (${relative} line ${place['line']}${inside})`;
}

/**
 * A thread that ends this process when the host ends (standard input closes), and says where the parser hangs when the
 * host asks (a byte on standard input), both while the parser keeps the main thread busy.
 */
const WATCHDOG = `
const { readSync, writeSync } = require('node:fs');
const { Session } = require('node:inspector');
const session = new Session();
function wait() {
  require('node:fs').read(0, Buffer.alloc(64), 0, 64, null, (error, count) => {
    if (error || count === 0) {
      try { process.kill(-process.pid, 'SIGKILL'); } catch { process.kill(process.pid, 'SIGKILL'); }
    }
    session.connectToMainThread();
    session.on('Debugger.paused', ({ params }) => {
      for (const { url, location, functionName } of params.callFrames) {
        writeSync(2, 'at ' + (functionName || '<anonymous>') + ' (' + url + ':' + (location.lineNumber + 1) + ':1)\\n');
      }
    });
    session.post('Debugger.enable');
    session.post('Debugger.pause');
    wait();
  });
}
wait();
`;

function send(header: object, rows: readonly number[] = []): void {
  const json = Buffer.from(JSON.stringify(header));
  const numbers = Buffer.from(Float64Array.from(rows).buffer);
  const lengths = Buffer.alloc(8);
  lengths.writeUInt32LE(json.length, 0);
  lengths.writeUInt32LE(numbers.length, 4);
  socket.write(Buffer.concat([lengths, json, numbers]));
}

async function main(): Promise<void> {
  new Worker(WATCHDOG, { eval: true, stdin: false, resourceLimits: { maxOldGenerationSizeMb: 16 } }).unref();
  try {
    os.setPriority(5);
  } catch {
    // Some sandboxes forbid it; it is a courtesy.
  }
  let parser: Awaited<ReturnType<typeof load>> | undefined;
  let setup: Setup | undefined;
  let buffered = Buffer.alloc(0);
  for await (const chunk of socket) {
    buffered = Buffer.concat([buffered, chunk as Buffer]);
    if (buffered.length < 8 || buffered.length < 8 + buffered.readUInt32LE(0)) continue;
    const header = JSON.parse(buffered.toString('utf8', 8)) as Setup & RequestHeader;
    buffered = Buffer.alloc(0);
    if (parser === undefined || setup === undefined) {
      setup = header;
      try {
        parser = await load(setup);
        send({ ready: parser.info });
      } catch (error) {
        send({ failed: describe(error, setup.file) });
        return;
      }
      continue;
    }
    try {
      const { message, problems, rows } = await parser.read(readOutputs(header));
      const residentMb = process.memoryUsage.rss() / 1024 / 1024;
      const fatal = residentMb > setup.memoryLimitMb;
      if (fatal) problems.push(`the process uses ${Math.round(residentMb)} MiB, more than ${setup.memoryLimitMb}`);
      send({ id: header.id, problems, fatal, ...(message === undefined ? {} : { message }) }, rows);
    } catch (error) {
      send({ id: header.id, failed: describe(error, setup.file) });
    }
  }
}

const socket = new Socket({ fd: SOCKET });
await main().catch((error: unknown) => {
  writeSync(2, `${describe(error, '/')}\n`);
});
socket.end(() => process.exit());

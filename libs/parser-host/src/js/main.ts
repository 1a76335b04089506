import { readSync, writeSync } from 'node:fs';
import { Socket } from 'node:net';
import { Worker } from 'node:worker_threads';
import { MAX_HEADER_BYTES, type RequestHeader } from '../wire.ts';
import { describe, load, type LoadedParser, type Setup } from './load.ts';
import type { ParserOutputs, ParserTensor } from './parser-api.ts';

/**
 * Runs one custom parser in JavaScript. File descriptors and protocol as in vantage_parser.py; this file is the main
 * file of a process and exports nothing.
 */

const SOCKET = 3;
const TENSORS = 4;
/** What Node itself holds. Beyond this and the limit a new process is better than waiting for the end of this one. */
const NODE_ITSELF_MB = 64;
const ARRAYS = { float32: Float32Array, int8: Int8Array, int32: Int32Array } as const;

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

/**
 * A thread that ends this process when the host ends (standard input closes), and says where the parser hangs when the
 * host asks (a byte on standard input), both while the parser keeps the main thread busy.
 */
const WATCHDOG = `
const { writeSync } = require('node:fs');
const { Session } = require('node:inspector');
const { Socket } = require('node:net');
function die() {
  try { process.kill(-process.pid, 'SIGKILL'); } catch { process.kill(process.pid, 'SIGKILL'); }
}
function sayWhere() {
  const session = new Session();
  session.connectToMainThread();
  const urls = new Map();
  session.on('Debugger.scriptParsed', ({ params }) => urls.set(params.scriptId, params.url));
  session.on('Debugger.paused', ({ params }) => {
    for (const { location, functionName } of params.callFrames) {
      const place = urls.get(location.scriptId) + ':' + (location.lineNumber + 1) + ':1';
      writeSync(2, 'at ' + (functionName || '<anonymous>') + ' (' + place + ')\\n');
    }
  });
  session.post('Debugger.enable');
  session.post('Debugger.pause');
}
// Not a read of a file: one that is under way would keep process.exit from coming to its end.
const host = new Socket({ fd: 0 });
host.once('data', sayWhere).once('close', die).on('error', die);
`;

function send(header: object, rows: readonly number[] = []): void {
  const json = Buffer.from(JSON.stringify(header));
  if (json.length > MAX_HEADER_BYTES) {
    send({ failed: `the answer has ${json.length} bytes, more than ${MAX_HEADER_BYTES}` });
    return;
  }
  const numbers = Buffer.from(Float64Array.from(rows).buffer);
  const lengths = Buffer.alloc(8);
  lengths.writeUInt32LE(json.length, 0);
  lengths.writeUInt32LE(numbers.length, 4);
  socket.write(Buffer.concat([lengths, json, numbers]));
}

async function answer(parser: LoadedParser, setup: Setup, request: RequestHeader): Promise<void> {
  try {
    const found = await parser.read(readOutputs(request));
    const residentMb = Math.round(process.memoryUsage.rss() / 1024 / 1024);
    const fatal = residentMb > setup.memoryLimitMb + NODE_ITSELF_MB;
    if (fatal) found.problems.push(`the process uses ${residentMb} MiB, more than ${setup.memoryLimitMb}`);
    send({ ...found.header(), fatal }, found.rows);
  } catch (error) {
    // What a parser keeps is not freed by asking again.
    const fatal = error instanceof RangeError && error.message.includes('allocation failed');
    send({ failed: describe(error, setup.file), fatal });
  }
}

async function main(): Promise<void> {
  new Worker(WATCHDOG, {
    eval: true,
    execArgv: [],
    stdin: false,
    resourceLimits: { maxOldGenerationSizeMb: 16 },
  }).unref();
  let parser: LoadedParser | undefined;
  let setup: Setup | undefined;
  let buffered = Buffer.alloc(0);
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
    buffered = Buffer.concat([buffered, chunk as Buffer]);
    if (buffered.length < 8 || buffered.length < 8 + buffered.readUInt32LE(0)) continue;
    const header = JSON.parse(buffered.toString('utf8', 8)) as Setup & RequestHeader;
    buffered = Buffer.alloc(0);
    if (parser !== undefined && setup !== undefined) {
      await answer(parser, setup, header);
      continue;
    }
    setup = header;
    try {
      parser = await load(setup);
    } catch (error) {
      send({ failed: describe(error, setup.file) });
      return;
    }
    send({ ready: parser.info });
  }
}

const socket = new Socket({ fd: SOCKET });
await main().catch((error: unknown) => {
  writeSync(2, `${describe(error, '/')}\n`);
});
socket.end(() => process.exit());

/**
 * A recorder for the fault test: writes real clips as the ai-pipeline does. They grow under a hidden name, their JSON
 * appears before them, and what a killed process left open is closed by the next one.
 *
 * argv: folder of recordings, folder of source clips, ledger, seed, `run` or `drain` (only close what is open).
 */
import { createHash } from 'node:crypto';
import { appendFileSync, existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const [folder = '', sources = '', ledger = '', seed = '1', mode = 'run'] = process.argv.slice(2);
const CHUNKS = 6;
const CHUNK_MS = 120;
const FIRST_BLOCK = 4096;
let state = Number(seed) >>> 0;

function random(): number {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
  return state / 2 ** 32;
}

const md5 = (bytes: Uint8Array): string => createHash('md5').update(bytes).digest('hex');

function documentOf(name: string): string {
  const timestamp = `${name.slice(7, 17)}T${name.slice(18, 26)}.000Z`;
  const sourceInfo = { id: 'gate', timestamp, width: 320, height: 180, frameId: 0 };
  const detections = [{ classId: 0, confidence: 0.9, label: 'person', rect: [0, 0, 0.5, 0.5], id: name }];
  const inferences = [{ sourceInfo, type: 'detection', id: 'People', detections }];
  return JSON.stringify({ schemaVersion: '0.1', events: [], regionsOfInterest: [], inferences });
}

/** The JSON, a line in the ledger, the clip: from the ledger on it is closed and has to arrive. */
function close(name: string): void {
  const part = path.join(folder, `.${name}.mp4.part`);
  const json = documentOf(name);
  const hidden = path.join(folder, `.${name}.json.new`);
  writeFileSync(hidden, json);
  renameSync(hidden, path.join(folder, `${name}.json`));
  const bytes = readFileSync(part);
  // What our recorder does when it closes a clip: the first bytes change, the rest stays.
  bytes[FIRST_BLOCK - 1] = 0;
  writeFileSync(part, bytes);
  appendFileSync(
    ledger,
    `${JSON.stringify({ name, clip: md5(bytes), json: md5(Buffer.from(json)), bytes: bytes.length })}\n`,
  );
  renameSync(part, path.join(folder, `${name}.mp4`));
}

function closeWhatIsOpen(): void {
  for (const file of readdirSync(folder)) {
    const name = /^\.(.+)\.mp4\.part$/.exec(file)?.[1];
    if (name !== undefined) close(name);
  }
}

/** A box of type `free` that says the name: each clip is unlike any other, and plays. */
function signed(bytes: Buffer, name: string): Buffer {
  const note = Buffer.from(name.padEnd(64));
  const box = Buffer.alloc(8);
  box.writeUInt32BE(8 + note.length);
  box.write('free', 4);
  return Buffer.concat([bytes, box, note]);
}

closeWhatIsOpen();
const clips = readdirSync(sources)
  .sort()
  .map((file) => readFileSync(path.join(sources, file)));
let second = existsSync(ledger) ? readFileSync(ledger, 'utf8').split('\n').length : 0;
while (mode === 'run') {
  second += 1;
  const source = clips[Math.floor(random() * clips.length)] ?? Buffer.alloc(0);
  const name = `people-${new Date(Date.UTC(2026, 0, 1) + second * 1000).toISOString().slice(0, 19).replace('T', '-')}`;
  if (existsSync(path.join(folder, `${name}.mp4`)) || existsSync(path.join(folder, `.${name}.mp4.part`))) continue;
  const bytes = signed(source, name);
  const part = path.join(folder, `.${name}.mp4.part`);
  writeFileSync(
    path.join(folder, `.${name}.json.part`),
    `${JSON.stringify(JSON.parse(documentOf(name)).inferences[0])}\n`,
  );
  for (let chunk = 0; chunk < CHUNKS; chunk += 1) {
    const from = Math.floor((bytes.length * chunk) / CHUNKS);
    appendFileSync(part, bytes.subarray(from, Math.floor((bytes.length * (chunk + 1)) / CHUNKS)));
    await delay(CHUNK_MS);
  }
  close(name);
}
process.stdout.write('drained\n');

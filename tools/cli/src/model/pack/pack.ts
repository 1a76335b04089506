import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, readFile, rename, rm, stat } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { pathToFileURL } from 'node:url';
import { VantageError, messageOf } from '@vantage/contracts';
import { ModelStore } from '@vantage/model-store';
import { silentLogger } from '@vantage/observability';
import { ZipFile } from 'yazl';
import { planCheck, type CheckPlan } from '../check/plan.ts';
import { openSubject, type Subject } from '../check/subject.ts';

export interface PackOptions {
  readonly given: string;
  readonly out: string;
  readonly labels?: string;
  readonly parser?: string;
  readonly select?: string;
  readonly json: boolean;
}

type Content = { readonly file: string } | { readonly text: string };

/** Every zip of the same files has the same bytes. */
const MTIME = new Date(Date.UTC(2000, 0, 1, 12));
/** What the model store takes. */
const MAX_BYTES = 2 * 1024 ** 3;

/**
 * Makes the zip that `unsecureZipUrl` names (contract deepstream-accelerator D.5): one folder with the configuration, the
 * model, its labels and what else lies in the folder. Without a configuration, the one that `check` proposes.
 *
 * @returns the text for stdout
 */
export async function packModel(options: PackOptions): Promise<string> {
  const { given, out, json } = options;
  const cacheFolder = path.join(os.tmpdir(), 'vantage-models');
  const subject = await openSubject(given, cacheFolder, silentLogger);
  const plan = await planCheck(subject, options);
  const target = path.resolve(out);
  const folder = folderName(path.basename(target));
  const { contents, config } = await contentsOf(subject, plan, target);
  await limitSize(contents);
  await writeZip(target, folder, contents);
  // As a device does with it: what would be refused there is refused here.
  const bytes = await readFile(target);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const store = new ModelStore({ root: cacheFolder, logger: silentLogger });
  store.resolve(await store.fetch({ url: target, sha256 }), config);
  const files = [...contents.keys()].sort();
  const notes = [...plan.notes, ...(plan.proposal?.notes ?? [])];
  if (json) return `${JSON.stringify({ zip: target, bytes: bytes.length, sha256, folder, config, files, notes })}\n`;
  return [
    `${out}  ${bytes.length} bytes, sha256 ${sha256}`,
    ...files.map((file) => `  ${folder}/${file}`),
    ...(notes.length > 0 ? ['', 'notes', ...notes.map((note) => `  ${note}`)] : []),
    '',
    'in the twin of the controllermodule (any http, https or file address; the digest is optional)',
    `  "unsecureZipUrl": "${pathToFileURL(target).href}",`,
    `  "sha256": "${sha256}",`,
    `  "primaryModelConfigPath": "${config}"`,
    `or at once: vantage up --model ${out}`,
    '',
  ].join('\n');
}

/** What goes into the zip by its path there, and the path of the configuration. */
async function contentsOf(
  { kind, folder, files }: Subject,
  plan: CheckPlan,
  target: string,
): Promise<{ contents: ReadonlyMap<string, Content>; config: string }> {
  const contents = new Map<string, Content>();
  const add = (name: string, file: string): void => {
    const place = path.resolve(folder, file);
    if (place !== target) contents.set(name.split(path.sep).join('/'), { file: place });
  };
  const { facts, configFile, text, labels } = plan;
  if (configFile !== undefined && kind !== 'config') {
    for (const file of files) if (!isLitter(file)) add(file, file);
    return { contents, config: path.relative(folder, configFile).split(path.sep).join('/') };
  }
  if (configFile !== undefined) {
    // A configuration alone: what it names comes along, at the places it says.
    add(path.basename(configFile), configFile);
    const named = [facts?.file, labelFileOf(plan, folder)].filter((one) => one !== undefined);
    for (const file of named) add(inside(folder, file), file);
    for (const file of facts?.model.externalFiles ?? []) add(inside(folder, beside(facts, file)), beside(facts, file));
    return { contents, config: path.basename(configFile) };
  }
  if (facts) add(path.basename(facts.file), facts.file);
  for (const file of facts?.model.externalFiles ?? []) add(file, beside(facts, file));
  contents.set('config_infer.txt', { text: text ?? '' });
  if (labels) contents.set('labels.txt', { text: `${labels.names.join('\n')}\n` });
  return Promise.resolve({ contents, config: 'config_infer.txt' });
}

function beside(facts: CheckPlan['facts'], file: string): string {
  return path.join(path.dirname(facts?.file ?? ''), file);
}

function labelFileOf({ config }: CheckPlan, folder: string): string | undefined {
  const spec = config?.config.spec;
  return spec && 'labelFile' in spec && spec.labelFile !== undefined ? path.resolve(folder, spec.labelFile) : undefined;
}

function inside(folder: string, file: string): string {
  const name = path.relative(folder, file);
  if (!name.startsWith('..') && !path.isAbsolute(name)) return name;
  throw new VantageError(
    'MODEL_PACK_OUTSIDE',
    `the configuration names ${file}, which is not in its folder; move it there and correct the configuration`,
  );
}

/** What file managers and version control leave behind. */
function isLitter(file: string): boolean {
  return file
    .split(path.sep)
    .some(
      (part) =>
        (part.startsWith('.') && part !== '.') || part === '__MACOSX' || part === 'Thumbs.db' || part.endsWith('.part'),
    );
}

function folderName(zip: string): string {
  return zip.replace(/\.zip$/i, '').replace(/[^\w.-]+/g, '-') || 'model';
}

async function limitSize(contents: ReadonlyMap<string, Content>): Promise<void> {
  let bytes = 0;
  for (const content of contents.values()) {
    bytes += 'file' in content ? (await stat(content.file)).size : Buffer.byteLength(content.text);
  }
  if (bytes > MAX_BYTES) {
    throw new VantageError('MODEL_PACK_TOO_LARGE', `these files have ${bytes} bytes; a package has 2 GiB at most`);
  }
}

async function writeZip(target: string, folder: string, contents: ReadonlyMap<string, Content>): Promise<void> {
  const zip = new ZipFile();
  const part = `${target}.part`;
  for (const [name, content] of [...contents].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const entry = `${folder}/${name}`;
    if ('file' in content) zip.addFile(content.file, entry, { mtime: MTIME, mode: 0o100644 });
    else zip.addBuffer(Buffer.from(content.text), entry, { mtime: MTIME, mode: 0o100644 });
  }
  zip.end();
  try {
    await mkdir(path.dirname(target), { recursive: true });
    await pipeline(zip.outputStream, createWriteStream(part));
    await rename(part, target);
  } catch (error) {
    await rm(part, { force: true });
    throw new VantageError('MODEL_OUTPUT_FAILED', `${target} was not written: ${messageOf(error)}`, { cause: error });
  }
}

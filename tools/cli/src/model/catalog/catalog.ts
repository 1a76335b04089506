import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { VantageError, closest, codeOf, isObject, messageOf } from '@vantage/contracts';

/** A file of a model that is downloaded. */
export interface CatalogFile {
  /** Its name in the model's folder. */
  readonly path: string;
  /** http or https. */
  readonly url: string;
  /** Lower-case hex. */
  readonly sha256: string;
  readonly bytes: number;
}

/** A public model: what is downloaded. Its configuration lies in a folder of its name beside the catalog. */
export interface CatalogModel {
  readonly name: string;
  readonly title: string;
  readonly task: string;
  readonly role: 'primary' | 'secondary';
  /** For a secondary: the model of this catalog whose objects it looks at. */
  readonly after?: string;
  /** SPDX identifier of the model's licence. */
  readonly licence: string;
  readonly files: readonly CatalogFile[];
}

export interface Catalog {
  readonly file: string;
  readonly models: readonly CatalogModel[];
}

export const CATALOG = path.resolve(import.meta.dirname, '../../../../../models/catalog.json');

const MAX_CATALOG_BYTES = 4 * 1024 * 1024;
/** What the model store takes at most. */
const MAX_FILE_BYTES = 2 * 1024 ** 3;
const MAX_FILES = 32;

/** @throws VantageError `CATALOG_INVALID` that names the place in the file */
export async function readCatalog(file: string = CATALOG): Promise<Catalog> {
  const invalid = (why: string, cause?: unknown): VantageError =>
    new VantageError('CATALOG_INVALID', `the catalog ${file} ${why}`, cause === undefined ? {} : { cause });
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    throw invalid(codeOf(error) === 'ENOENT' ? 'does not exist' : `cannot be read: ${messageOf(error)}`, error);
  }
  if (text.length > MAX_CATALOG_BYTES) throw invalid('is larger than 4 MiB');
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw invalid(`is not JSON: ${messageOf(error)}`, error);
  }
  if (!isObject(json) || json['version'] !== 1 || !Array.isArray(json['models'])) {
    throw invalid('must be an object with version 1 and a list of models');
  }
  const models = json['models'].map((entry: unknown, at) => readModel(entry, `models[${at}]`, invalid));
  const twice = models.find(({ name }, at) => models.findIndex((other) => other.name === name) !== at);
  if (twice) throw invalid(`holds "${twice.name}" twice`);
  return { file, models };
}

/** @throws VantageError `CATALOG_MODEL_UNKNOWN`, with the nearest name */
export function findModel({ models }: Catalog, name: string): CatalogModel {
  const names = models.map((model) => model.name);
  const found = models.find((model) => model.name === name.toLowerCase());
  if (found) return found;
  const near = names.find((each) => each.startsWith(name.toLowerCase())) ?? closest(name, names);
  throw new VantageError(
    'CATALOG_MODEL_UNKNOWN',
    `the catalog holds no "${name}"${near === undefined ? '' : `; did you mean "${near}"?`} It holds ${names.join(', ')}`,
  );
}

type Invalid = (why: string) => VantageError;

function readModel(entry: unknown, at: string, invalid: Invalid): CatalogModel {
  if (!isObject(entry)) throw invalid(`has no object at ${at}`);
  const text = (key: string): string => {
    const value = entry[key];
    if (typeof value === 'string' && value !== '' && value.length <= 200) return value;
    throw invalid(`has no usable text at ${at}.${key}`);
  };
  const name = text('name');
  // It becomes a folder.
  if (!/^[a-z0-9][a-z0-9._-]*$/.test(name))
    throw invalid(`has a name at ${at}.name that is not a-z, 0-9, ".", "_", "-"`);
  const role = text('role');
  if (role !== 'primary' && role !== 'secondary') throw invalid(`has neither primary nor secondary at ${at}.role`);
  const { files } = entry;
  if (!Array.isArray(files) || files.length === 0 || files.length > MAX_FILES) {
    throw invalid(`has no list of 1 to ${MAX_FILES} files at ${at}.files`);
  }
  return {
    name,
    title: text('title'),
    task: text('task'),
    role,
    ...(entry['after'] === undefined ? {} : { after: text('after') }),
    licence: text('licence'),
    files: files.map((file: unknown, index) => readFileEntry(file, `${at}.files[${index}]`, invalid)),
  };
}

function readFileEntry(entry: unknown, at: string, invalid: Invalid): CatalogFile {
  if (!isObject(entry)) throw invalid(`has no object at ${at}`);
  const { path: name, url, sha256, bytes } = entry;
  if (typeof name !== 'string' || !/^[\w][\w.-]*$/.test(name)) throw invalid(`has no plain file name at ${at}.path`);
  if (typeof url !== 'string' || !/^https?:\/\//.test(url)) throw invalid(`has no http or https address at ${at}.url`);
  if (typeof sha256 !== 'string' || !/^[0-9a-f]{64}$/.test(sha256)) {
    throw invalid(`has no sha256 of 64 lower-case hexadecimal digits at ${at}.sha256`);
  }
  if (typeof bytes !== 'number' || !Number.isInteger(bytes) || bytes < 1 || bytes > MAX_FILE_BYTES) {
    throw invalid(`has no size from 1 byte to 2 GiB at ${at}.bytes`);
  }
  return { path: name, url, sha256, bytes };
}

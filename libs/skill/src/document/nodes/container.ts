import { isObject } from '@vantage/contracts';
import type { Fields } from '../fields.ts';

const RESTART_POLICIES = ['always', 'never', 'on-failure', 'on-unhealthy'] as const;

/** Which accelerations a device of an architecture can have (contract D). */
const ACCELERATIONS = {
  X64: ['Nvidia dGPU', 'CPU', 'Intel iGPU'],
  ARM64: ['Nvidia Jetson (Jetpack 5)'],
} as const;

export type Architecture = keyof typeof ACCELERATIONS;

/** A gRPC node that comes as a container: what the manifest needs (contract D). */
export interface ContainerForm {
  /** Name of the module, and of its host on the module network. */
  readonly name: string;
  readonly image: string;
  /** JSON text of container create options; absent: none. */
  readonly createOptions?: string;
  readonly restartPolicy: (typeof RESTART_POLICIES)[number];
  readonly port: number;
  /** Only written behind the endpoint; gRPC has no use for it. */
  readonly route: string;
  readonly env: readonly { readonly key: string; readonly value: string }[];
  readonly architecture?: Architecture;
  readonly acceleration?: string;
}

const MAX_ENV = 128;

/** The form of a container, or undefined and the fields that are wrong. */
export function readContainer(fields: Fields): ContainerForm | undefined {
  const name = fields.required('container_name', 'the name of the module');
  if (name !== undefined && !/^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/.test(name)) {
    fields.error('container_name', 'expected letters, digits, - and _, at most 63');
  }
  const image = fields.required('container_image', 'the image, such as registry/name:tag');
  if (image !== undefined && /\s/.test(image)) fields.error('container_image', 'holds a blank');
  const createOptions = fields.text('create_options');
  const options = fields.json('create_options', 'the createOptions as one JSON object');
  if (options && !isObject(options.value)) fields.error('create_options', 'expected a JSON object');
  const port = portOf(fields);
  const route = fields.text('route') ?? '';
  if (!/^(\/[A-Za-z0-9]+)?$/.test(route))
    fields.error('route', 'expected nothing, or / and letters or digits, such as /GRPC');
  const restartPolicy = fields.choice('restart_policy', RESTART_POLICIES, 'always');
  const env = readEnv(fields);
  const place = readPlace(fields);
  if (name === undefined || image === undefined || port === undefined) return undefined;
  return { name, image, ...(createOptions ? { createOptions } : {}), restartPolicy, port, route, env, ...place };
}

function portOf(fields: Fields): number | undefined {
  const text = fields.required('port', 'the port on which the node listens');
  if (text === undefined) return undefined;
  const port = /^\d{1,6}$/.test(text) ? Number(text) : 0;
  if (port >= 1 && port <= 65_535) return port;
  fields.error('port', `expected a whole number from 1 to 65535, found "${text.slice(0, 20)}"`);
  return undefined;
}

/** Rows as the form has them, or an object. A last row without anything is the form's empty one. */
function readEnv(fields: Fields): ContainerForm['env'] {
  const form = '[{"key": "A", "value": "1"}]';
  const read = fields.json('env', form);
  if (!read) return [];
  const rows = isObject(read.value) ? Object.entries(read.value).map(([key, value]) => ({ key, value })) : read.value;
  if (!Array.isArray(rows) || rows.length > MAX_ENV) {
    fields.error('env', `expected ${form}`);
    return [];
  }
  return (rows as readonly unknown[]).flatMap((row, index) => {
    const key = isObject(row) ? scalar(row['key']) : undefined;
    const value = isObject(row) ? scalar(row['value']) : undefined;
    if (key === '' && value === '' && index === rows.length - 1) return [];
    if (key === undefined || value === undefined) fields.error('env', `row ${index + 1} is not such as ${form}`);
    else if (key === '' || value === '')
      fields.error('env', `row ${index + 1} has a ${key === '' ? 'value and no key' : 'key and no value'}`);
    else if (!/^[A-Za-z_][A-Za-z0-9_.-]*$/.test(key))
      fields.error('env', `row ${index + 1}: the key is no name of a variable`);
    else return [{ key, value }];
    return [];
  });
}

/** Numbers and true or false are written as text. */
function scalar(value: unknown): string | undefined {
  if (value === undefined || value === null) return '';
  if (typeof value === 'string') return value;
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined;
}

function readPlace(fields: Fields): Pick<ContainerForm, 'architecture' | 'acceleration'> {
  if (!fields.has('architecture')) {
    // Portals do not store it, so a document of theirs has none.
    fields.error(
      'architecture',
      'is missing: X64 or ARM64, which the image is made for',
      'any device takes the container',
    );
    if (fields.has('acceleration')) fields.ignore('acceleration');
    return {};
  }
  const architecture = fields.choice('architecture', ['X64', 'ARM64'] as const, 'X64');
  const fitting: readonly string[] = ACCELERATIONS[architecture];
  const given = fields.required('acceleration', `one of ${fitting.join(', ')} for ${architecture}`);
  if (given === undefined) return { architecture };
  // Portals show "Intel iGPU (EFLOW only)" and people write "Jetson".
  const acceleration = fitting.find((one) => same(one, given));
  if (acceleration === undefined) {
    fields.error('acceleration', `${architecture} has ${fitting.join(', ')}; found "${given.slice(0, 40)}"`);
    return { architecture };
  }
  return { architecture, acceleration };
}

function same(known: string, given: string): boolean {
  const plain = (text: string): string =>
    text
      .toLowerCase()
      .replace(/\s*\(.*\)$/, '')
      .replace(/^nvidia\s+/, '');
  return plain(known) === plain(given);
}

import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { z } from 'zod';
import { DEFAULT_STATE, type HubChoice } from '@vantage/hub';
import { accessOpen, settingInvalid } from './errors.ts';

/** All that the Player is told from outside. Secrets in it never leave the server. */
export interface PlayerSettings {
  readonly host: string;
  /** 0: a free one. */
  readonly port: number;
  readonly hub: HubChoice;
  readonly access: AccessSettings;
  /** Folder of the recorder's clips. */
  readonly recordings?: string;
  readonly storage?: StorageSettings;
  /** Connection string of the storage account for values that are too large for a twin. */
  readonly valueStorage?: string;
  /** Base of the ai-pipeline's HTTP; else the port that it reports. */
  readonly aiPipeline?: string;
  /** Where thumbnails and uploaded models are kept. */
  readonly cacheFolder: string;
  /** The ai-pipeline reads the same files: models can be handed over as `file://`. */
  readonly sharesFiles: boolean;
}

export interface AccessSettings {
  /** Undefined: nobody is asked for one. */
  readonly token?: string;
  /** Header in which a proxy says who it has logged in, in lower case. */
  readonly userHeader?: string;
  /** Addresses of proxies that are believed. */
  readonly proxies: readonly string[];
  /** Names besides its own under which the Player is reached, in lower case, without port. */
  readonly hosts: readonly string[];
  readonly readOnly: boolean;
}

export interface StorageSettings {
  /** Connection string of the account, or SAS URL of the account or container. */
  readonly access: string;
  readonly container: string;
}

const list = z
  .string()
  .default('')
  .transform((text) =>
    text
      .split(',')
      .map((item) => item.trim().toLowerCase())
      .filter((item) => item !== ''),
  );
const flag = z
  .enum(['0', '1', 'true', 'false', ''])
  .default('0')
  .transform((text) => text === '1' || text === 'true');
/** Variables of compose files are often there and empty. */
const text = z
  .string()
  .optional()
  .transform((value) => (value?.trim() === '' ? undefined : value?.trim()));

const environment = z.object({
  PLAYER_HOST: text,
  PLAYER_PORT: z
    .string()
    .regex(/^\d{1,5}$/, 'a port, 0 to 65535, expected')
    .default('8080')
    .transform(Number)
    .refine((port) => port <= 65_535, 'a port, 0 to 65535, expected'),
  PLAYER_TOKEN: text.refine((token) => token === undefined || token.length >= 16, 'at least 16 characters expected'),
  PLAYER_OIDC_HEADER: text.refine(
    (name) => name === undefined || /^[\w-]{1,64}$/.test(name),
    'the name of a header expected',
  ),
  PLAYER_PROXIES: list.refine(
    (proxies) => proxies.every(isAddress),
    'IP addresses, or networks as 10.0.0.0/8, expected',
  ),
  PLAYER_HOSTS: list,
  PLAYER_READ_ONLY: flag,
  PLAYER_STORAGE: text,
  PLAYER_CONTAINER: text.refine(
    (name) => name === undefined || /^[a-z0-9](?:[a-z0-9]|-(?!-)){1,61}[a-z0-9]$/.test(name),
    'the name of a blob container expected',
  ),
  PLAYER_RECORDINGS: text,
  PLAYER_AI_PIPELINE: text.refine(
    (base) => base === undefined || /^https?:\/\//.test(base),
    'a URL such as http://ai-pipeline:9600 expected',
  ),
  PLAYER_CACHE: text,
  PLAYER_SHARES_FILES: flag,
  PLAYER_HUB: text,
  PLAYER_CONNECTION_FILE: text,
  VANTAGE_BLOB_CONNECTION: text,
  VANTAGE_STATE: text,
  VANTAGE_DEVICE: text,
});

/**
 * Reads the settings of the environment.
 *
 * @throws VantageError PLAYER_SETTING_INVALID, PLAYER_ACCESS_OPEN
 */
export function readSettings(env: NodeJS.ProcessEnv): PlayerSettings {
  const parsed = environment.safeParse(env);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    // Never the value: it may be a secret.
    throw settingInvalid(`${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'cannot be used'}`);
  }
  const values = parsed.data;
  const host = values.PLAYER_HOST ?? '127.0.0.1';
  const access: AccessSettings = {
    ...(values.PLAYER_TOKEN === undefined ? {} : { token: values.PLAYER_TOKEN }),
    ...(values.PLAYER_OIDC_HEADER === undefined ? {} : { userHeader: values.PLAYER_OIDC_HEADER.toLowerCase() }),
    proxies: values.PLAYER_PROXIES.length > 0 ? values.PLAYER_PROXIES : ['127.0.0.1', '::1'],
    hosts: values.PLAYER_HOSTS,
    readOnly: values.PLAYER_READ_ONLY,
  };
  requireClosed(host, access);
  const valueStorage = values.VANTAGE_BLOB_CONNECTION ?? values.PLAYER_STORAGE;
  return {
    host,
    port: values.PLAYER_PORT,
    access,
    hub: {
      state: values.VANTAGE_STATE ?? DEFAULT_STATE,
      ...(values.PLAYER_HUB === undefined ? {} : { hub: values.PLAYER_HUB }),
      ...(values.PLAYER_CONNECTION_FILE === undefined ? {} : { connectionFile: values.PLAYER_CONNECTION_FILE }),
      ...(values.VANTAGE_DEVICE === undefined ? {} : { device: values.VANTAGE_DEVICE }),
    },
    ...(values.PLAYER_RECORDINGS === undefined ? {} : { recordings: path.resolve(values.PLAYER_RECORDINGS) }),
    ...(values.PLAYER_STORAGE === undefined
      ? {}
      : { storage: { access: values.PLAYER_STORAGE, container: values.PLAYER_CONTAINER ?? 'clips' } }),
    ...(valueStorage === undefined ? {} : { valueStorage }),
    ...(values.PLAYER_AI_PIPELINE === undefined ? {} : { aiPipeline: values.PLAYER_AI_PIPELINE }),
    cacheFolder: path.resolve(values.PLAYER_CACHE ?? path.join(os.tmpdir(), `vantage-player-${os.userInfo().uid}`)),
    sharesFiles: values.PLAYER_SHARES_FILES,
  };
}

/** @throws VantageError PLAYER_ACCESS_OPEN when others could reach it and nobody would be asked who they are */
export function requireClosed(host: string, access: AccessSettings): void {
  if (access.token !== undefined || access.userHeader !== undefined) return;
  if (!isLoopback(host)) throw accessOpen(host);
  if (access.hosts.length > 0) throw accessOpen(access.hosts.join(', '));
}

function isAddress(text: string): boolean {
  const [address = '', bits = '0', ...rest] = text.split('/');
  const most = net.isIPv6(address) ? 128 : 32;
  return net.isIP(address) !== 0 && /^\d{1,3}$/.test(bits) && Number(bits) <= most && rest.length === 0;
}

export function isLoopback(host: string): boolean {
  const name = host.toLowerCase().replace(/^\[|\]$/g, '');
  return name === 'localhost' || name === '::1' || /^127(?:\.\d{1,3}){3}$/.test(name);
}

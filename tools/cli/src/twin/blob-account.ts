import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { VantageError, codeOf } from '@vantage/contracts';
import { TwinValues, type ValueAccount } from '@vantage/hub';
import { isLocal, type HubOptions } from '../hub/options.ts';

export interface BlobOptions extends HubOptions {
  /** File with a connection string of a storage account. */
  readonly blobConnectionFile?: string;
}

/** The storage account for large values that the options and the environment mean. */
export function blobAccount(options: BlobOptions): ValueAccount {
  return {
    find: async () => {
      const connection = await connectionString(options);
      return connection === undefined ? undefined : TwinValues.open(connection);
    },
    way: 'a connection string in VANTAGE_BLOB_CONNECTION or --blob-connection-file',
  };
}

/** Of the options, the environment, or the storage account that the local runtime brings along. */
async function connectionString(
  options: BlobOptions,
  env: NodeJS.ProcessEnv = process.env,
): Promise<string | undefined> {
  const { blobConnectionFile, state } = options;
  const given = env['VANTAGE_BLOB_CONNECTION'];
  if (blobConnectionFile === undefined && given !== undefined && given !== '') return given;
  const file = blobConnectionFile ?? (isLocal(options) ? path.join(state, 'storage', 'connection') : undefined);
  try {
    return file === undefined ? undefined : (await readFile(file, 'utf8')).trim();
  } catch (error) {
    if (blobConnectionFile === undefined && codeOf(error) === 'ENOENT') return undefined;
    throw new VantageError('BLOB_STORE_UNKNOWN', `${file ?? ''} cannot be read`, { cause: error });
  }
}

import { readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { VantageError } from '@vantage/contracts';

/** How another command reaches the runtime that `vantage up` started. Holds a key: readable by its owner only. */
export interface LocalConnection {
  readonly pid: number;
  readonly deviceId: string;
  readonly apiPort: number;
  readonly serviceConnectionString: string;
  /** PEM file of the CA that signed the API's certificate. */
  readonly caFile: string;
  /** The page in the browser, once it can be had. */
  readonly playerUrl?: string;
}

function connectionFile(stateFolder: string): string {
  return path.join(stateFolder, 'connection.json');
}

export async function writeConnection(stateFolder: string, connection: LocalConnection): Promise<void> {
  const file = connectionFile(stateFolder);
  await writeFile(`${file}.part`, JSON.stringify(connection, undefined, 2), { mode: 0o600 });
  await rename(`${file}.part`, file);
}

/** @throws VantageError RUNTIME_NOT_FOUND when nothing has been started in this folder. */
export async function readConnection(stateFolder: string): Promise<LocalConnection> {
  try {
    return JSON.parse(await readFile(connectionFile(stateFolder), 'utf8')) as LocalConnection;
  } catch (error) {
    throw new VantageError(
      'RUNTIME_NOT_FOUND',
      `no local runtime was started in ${stateFolder}; run "vantage up" (or name its folder with --state)`,
      { cause: error },
    );
  }
}

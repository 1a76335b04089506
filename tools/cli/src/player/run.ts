import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { DEFAULT_STATE } from '@vantage/hub';
import { createLogger } from '@vantage/observability';
import { Player, readSettings } from '@vantage/player';
import type { HubOptions } from '../hub/options.ts';
import { untilSignal } from '../until-signal.ts';

export interface PlayerRunOptions extends HubOptions {
  readonly host?: string;
  readonly port?: string;
  readonly recordings?: string;
}

/** Runs the Player alone, until Ctrl-C. */
export async function runPlayer(options: PlayerRunOptions): Promise<void> {
  const env = environment(options);
  const logger = createLogger({ module: 'player', level: 'warning', destination: process.stderr });
  const player = new Player({ settings: readSettings(env), logger, env });
  const end = untilSignal(undefined);
  try {
    const url = await player.start();
    process.stdout.write(`Player  ${url}\n`);
    if (!end.signal.aborted) await new Promise((resolve) => end.signal.addEventListener('abort', resolve));
  } finally {
    await player.stop();
    end.release();
  }
}

function environment({
  state,
  hub,
  connectionFile,
  device,
  host,
  port,
  recordings,
}: PlayerRunOptions): NodeJS.ProcessEnv {
  const isLocal = hub === undefined && connectionFile === undefined;
  const stateDir = path.resolve(state);
  const clips = recordings ?? path.join(stateDir, 'volumes', 'VideoUploaderCache');
  const connection = path.join(stateDir, 'storage', 'connection');
  const given: NodeJS.ProcessEnv = {
    // The default folder leaves the word to IOTHUB_CONNECTION_STRING, as for every command.
    VANTAGE_STATE: state === DEFAULT_STATE ? DEFAULT_STATE : stateDir,
    ...(hub === undefined ? {} : { PLAYER_HUB: hub }),
    ...(connectionFile === undefined ? {} : { PLAYER_CONNECTION_FILE: connectionFile }),
    ...(device === undefined ? {} : { VANTAGE_DEVICE: device }),
    ...(host === undefined ? {} : { PLAYER_HOST: host }),
    ...(port === undefined ? {} : { PLAYER_PORT: port }),
    ...(recordings !== undefined || (isLocal && existsSync(clips)) ? { PLAYER_RECORDINGS: clips } : {}),
  };
  const isStorageHere = isLocal && process.env['PLAYER_STORAGE'] === undefined && existsSync(connection);
  return {
    ...process.env,
    ...given,
    ...(isStorageHere ? { PLAYER_STORAGE: readFileSync(connection, 'utf8').trim() } : {}),
  };
}

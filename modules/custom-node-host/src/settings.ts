import { resolveVolume } from '@vantage/observability';
import { settingInvalid } from './errors.ts';

/** What the environment says. */
export interface HostSettings {
  /** Address that nodes listen on. */
  readonly host: string;
  /** Folder that relative folders of the twin start from. */
  readonly root: string;
  /** Where packages and the last good twin are kept. */
  readonly stateFolder: string;
}

/** @throws CUSTOM_NODE_HOST_SETTING_INVALID */
export function readSettings(env: NodeJS.ProcessEnv): HostSettings {
  const host = env['CUSTOM_NODE_HOST'] ?? (env['VANTAGE_CONTAINER'] === '1' ? '0.0.0.0' : '127.0.0.1');
  if (!/^[\w.:[\]-]{1,253}$/.test(host)) {
    throw settingInvalid(`CUSTOM_NODE_HOST is "${host}"; it has to be an address of this machine, such as 0.0.0.0`);
  }
  return { host, root: env['CUSTOM_NODE_ROOT'] ?? process.cwd(), stateFolder: resolveVolume('/var/lib/vantage', env) };
}

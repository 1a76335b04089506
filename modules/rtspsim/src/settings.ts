import { resolveVolume } from '@vantage/observability';
import { settingInvalid } from './errors.ts';

/** What the environment says. */
export interface RtspsimSettings {
  readonly port: number;
  readonly host: string;
  readonly folder: string;
}

/** @throws RTSPSIM_SETTING_INVALID */
export function readSettings(env: NodeJS.ProcessEnv): RtspsimSettings {
  const text = env['RTSPSIM_PORT'] ?? '554';
  const port = Number(text);
  if (!/^\d{1,5}$/.test(text) || port > 65535) {
    throw settingInvalid(`RTSPSIM_PORT is "${text}"; it has to be a port from 0 to 65535`);
  }
  const folder = env['RTSPSIM_MEDIA'] ?? resolveVolume('/media', env);
  return { port, host: env['RTSPSIM_HOST'] ?? '0.0.0.0', folder };
}

import path from 'node:path';
import { buildPage } from '@vantage/player';
import { REPOSITORY } from './modules.ts';

/** The bundler is no package that the Player's image gets from this machine, so its page has to be there before. */
export async function makePlayerPage(tell: (line: string) => void): Promise<void> {
  await buildPage(path.join(REPOSITORY, 'modules/player/web'), tell, new AbortController().signal);
}

export type * from './api.ts';
export { buildPage } from './page/build-page.ts';
export { Player, type PlayerOptions } from './player.ts';
export { readSettings, type AccessSettings, type PlayerSettings, type StorageSettings } from './settings.ts';

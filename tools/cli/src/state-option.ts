import { DEFAULT_STATE } from '@vantage/hub';

/** The option by which every command finds the runtime it is about. */
export const STATE_OPTION = ['--state <folder>', 'folder of the local runtime', DEFAULT_STATE] as const;

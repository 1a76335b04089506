/** As in `@vantage/hub`, which would bring a hundred files along before a command has done anything. */
export const DEFAULT_STATE = '.vantage';

/** The option by which every command finds the runtime it is about. */
export const STATE_OPTION = ['--state <folder>', 'folder of the local runtime', DEFAULT_STATE] as const;

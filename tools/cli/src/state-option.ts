/** The option by which every command finds the runtime it is about. */
export const STATE_OPTION = ['--state <folder>', 'folder of the local runtime', '.vantage'] as const;

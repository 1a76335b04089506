import { VantageError } from '@vantage/contracts';

type Details = Readonly<Record<string, unknown>>;

const make =
  (code: string) =>
  (message: string, details: Details = {}, cause?: unknown): VantageError =>
    new VantageError(code, message, { details, ...(cause === undefined ? {} : { cause }) });

/** Folder or zip hold no file that could be the node, or not the one that `entry` names. */
export const entryMissing = make('HOSTED_NODE_ENTRY_MISSING');
/** The folder does not exist or cannot be read. */
export const folderMissing = make('HOSTED_NODE_FOLDER_MISSING');
/** The code cannot be imported, or exports no node, or its start failed. */
export const loadFailed = make('HOSTED_NODE_LOAD_FAILED');
/** Another program listens on the node's port. */
export const portTaken = make('HOSTED_NODE_PORT_TAKEN');
/** A Python node, and no Python that has what it needs. */
export const pythonMissing = make('HOSTED_NODE_PYTHON_MISSING');
/** The process ended by itself. */
export const processEnded = make('HOSTED_NODE_ENDED');
/** A call did not come back within its deadline; the process was ended. */
export const processHung = make('HOSTED_NODE_HUNG');
/** The process used more memory than it may; it was ended. */
export const memoryExceeded = make('HOSTED_NODE_MEMORY');
/** The settings of a built-in node make no sense. */
export const settingsInvalid = make('HOSTED_NODE_SETTINGS_INVALID');
/** An environment variable of the module does not hold what it should. */
export const settingInvalid = make('CUSTOM_NODE_HOST_SETTING_INVALID');

/** What a call that was not answered is counted and logged as. */
export const CALL_CODES = {
  /** The node's code threw. */
  failed: 'HOSTED_NODE_CALL_FAILED',
  /** It took longer than its deadline. */
  deadline: 'HOSTED_NODE_CALL_LATE',
  /** It was not tried: too many under way, or too many failed before. */
  refused: 'HOSTED_NODE_CALL_REFUSED',
} as const;

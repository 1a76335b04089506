import { VantageError } from '@vantage/contracts';

/** The environment names no edge hub: a required variable is missing, or the authentication scheme is not sasToken. */
export const environmentIncomplete = (cause: Error): VantageError =>
  new VantageError('EDGE_ENVIRONMENT_INCOMPLETE', `no edge hub to connect to: ${cause.message}`, { cause });

/** The hub did not answer in time. */
export const timedOut = (what: string, timeoutMs: number): VantageError =>
  new VantageError('EDGE_TIMEOUT', `${what} was not answered within ${timeoutMs} ms`, { details: { what, timeoutMs } });

/** The connection ended while something was under way. */
export const connectionLost = (reason: string): VantageError =>
  new VantageError('EDGE_CONNECTION_LOST', `connection to the edge hub lost: ${reason}`);

/** The module was closed. */
export const edgeClosed = (): VantageError => new VantageError('EDGE_CLOSED', 'the edge module is closed');

/** Body and properties are over what edgeHub takes. */
export const messageTooLarge = (output: string, sizeBytes: number, limitBytes: number): VantageError =>
  new VantageError(
    'EDGE_MESSAGE_TOO_LARGE',
    `message for output "${output}" has ${sizeBytes} bytes, at most ${limitBytes} are allowed`,
    {
      details: { output, sizeBytes, limitBytes },
    },
  );

/** The outbound queue was full while there was no connection. */
export const messageDropped = (output: string): VantageError =>
  new VantageError('EDGE_MESSAGE_DROPPED', `message for output "${output}" was dropped: the outbound queue is full`, {
    details: { output },
  });

/** The hub refused the message for good. */
export const messageRefused = (output: string, cause: Error): VantageError =>
  new VantageError('EDGE_MESSAGE_REFUSED', `message for output "${output}" was refused: ${cause.message}`, {
    cause,
    details: { output },
  });

/** A body that JSON cannot express. */
export const bodyNotJson = (output: string, cause: unknown): VantageError =>
  new VantageError('EDGE_BODY_NOT_JSON', `message for output "${output}" cannot be written as JSON`, {
    cause,
    details: { output },
  });

/** Why one place of a reported patch breaks a twin limit. */
export interface TwinIssue {
  readonly path: string;
  readonly message: string;
}

/** The reported patch breaks the limits of a twin (contract iot-edge-runtime B.5). */
export const reportedInvalid = (issues: readonly TwinIssue[]): VantageError =>
  new VantageError(
    'EDGE_REPORTED_INVALID',
    `reported properties break the limits of a twin: ${issues.map((issue) => `${issue.path}: ${issue.message}`).join('; ')}`,
    {
      details: { issues },
    },
  );

/** The hub refused reported properties for good. */
export const reportedRefused = (cause: Error): VantageError =>
  new VantageError('EDGE_REPORTED_REFUSED', `the hub refused reported properties: ${cause.message}`, { cause });

/** The hub answered a twin request with an error status. */
export const twinStatus = (status: number, text: string): VantageError =>
  new VantageError('EDGE_TWIN_STATUS', `twin request failed with status ${status}${text === '' ? '' : `: ${text}`}`, {
    details: { status },
  });

/** A message body that is not JSON. */
export const inputNotJson = (input: string, cause: unknown): VantageError =>
  new VantageError('EDGE_INPUT_NOT_JSON', `message on input "${input}" is not JSON`, { cause, details: { input } });

/** A method handler answered more than the hub takes. */
export const methodReplyTooLarge = (limitBytes: number): VantageError =>
  new VantageError('METHOD_REPLY_TOO_LARGE', `the reply has over ${limitBytes} bytes`);

/** Codes that only appear in log lines and method answers. */
export const LOGGED_CODES = {
  /** A message from the hub could not be read; it was passed over. */
  messageUnreadable: 'EDGE_MESSAGE_UNREADABLE',
  /** A method nobody registered was called (404). */
  methodUnknown: 'METHOD_UNKNOWN',
  /** A method handler threw an error without a code (500). */
  methodFailed: 'METHOD_FAILED',
} as const;

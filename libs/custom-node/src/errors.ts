import { VantageError } from '@vantage/contracts';

/** Codes that a call can end with: what {@link NodeFailure} carries. */
export const NODE_CODES = [
  'CUSTOM_NODE_ACK_WRONG',
  'CUSTOM_NODE_ANSWER_INVALID',
  'CUSTOM_NODE_BUSY',
  'CUSTOM_NODE_DEADLINE',
  'CUSTOM_NODE_FAILED',
  'CUSTOM_NODE_FRAME_INVALID',
  'CUSTOM_NODE_HANDSHAKE_INVALID',
  'CUSTOM_NODE_MESSAGE_TOO_LARGE',
  'CUSTOM_NODE_NOT_READY',
  'CUSTOM_NODE_REFUSED',
  'CUSTOM_NODE_STOPPED',
  'CUSTOM_NODE_UNREACHABLE',
] as const;

export type NodeCode = (typeof NODE_CODES)[number];

/** Why a frame has no answer, or why there is no connection. Never holds a token. */
export interface NodeFailure {
  readonly code: NodeCode;
  readonly message: string;
}

/** The address of a node cannot be read. */
export const endpointInvalid = (endpoint: string, reason: string): VantageError =>
  new VantageError(
    'CUSTOM_NODE_ENDPOINT_INVALID',
    `the endpoint "${endpoint}" ${reason}; write host:port, with an optional scheme and /route, or unix:/path`,
    { details: { endpoint } },
  );

/** The options of a client or server contradict each other or name what is not there. */
export const optionsInvalid = (reason: string, cause?: unknown): VantageError =>
  new VantageError('CUSTOM_NODE_OPTIONS_INVALID', reason, { cause });

/** A picture is not what it says it is. */
export const imageInvalid = (reason: string, cause?: unknown): VantageError =>
  new VantageError('CUSTOM_NODE_IMAGE_INVALID', reason, { cause });

/** A server cannot listen where it should. */
export const listenFailed = (address: string, reason: string): VantageError =>
  new VantageError('CUSTOM_NODE_LISTEN_FAILED', `the custom node cannot listen on ${address}: ${reason}`, {
    details: { address },
  });

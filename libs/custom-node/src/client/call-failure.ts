import { status, type ServiceError } from '@grpc/grpc-js';
import type { NodeFailure } from '../errors.ts';
import { isGone } from '../shared-memory/client-path.ts';

/** Why a call failed, and what the connection has to make of it. */
export interface CallFailure extends NodeFailure {
  /** Shake hands again before the next frame. */
  readonly lost: boolean;
  /** Bytes that the peer takes at most, where it said so. */
  readonly limit?: number;
  /** The peer cannot see the pixels where they were put: it needs them as bytes. */
  readonly pixelsGone?: true;
}

const REFUSALS = new Set<number>([status.UNAUTHENTICATED, status.PERMISSION_DENIED, status.UNIMPLEMENTED]);

export interface CallFacts {
  /** For the sentence: `frame 7`, `the handshake`. */
  readonly what: string;
  /** Length of the message that was sent: the text of RESOURCE_EXHAUSTED does not say whose message it is. */
  readonly sentBytes: number;
  readonly deadlineMs: number;
  /** We have given the call up ourselves. */
  readonly closed: boolean;
}

export function callFailure(error: ServiceError, { what, sentBytes, deadlineMs, closed }: CallFacts): CallFailure {
  const details = clipped(error.details);
  // A server that is shut down without grace cancels the calls it has.
  if (error.code === status.UNAVAILABLE || (error.code === status.CANCELLED && !closed))
    return { code: 'CUSTOM_NODE_UNREACHABLE', message: `${what}: the node cannot be reached: ${details}`, lost: true };
  if (error.code === status.DEADLINE_EXCEEDED)
    return {
      code: 'CUSTOM_NODE_DEADLINE',
      message: `${what}: no answer within ${deadlineMs} ms (DEADLINE_EXCEEDED)`,
      lost: false,
    };
  if (error.code === status.CANCELLED)
    return { code: 'CUSTOM_NODE_STOPPED', message: `${what}: given up (${details})`, lost: false };
  if (REFUSALS.has(error.code))
    return {
      code: 'CUSTOM_NODE_REFUSED',
      message: `${what}: the node refuses the call (${status[error.code]}): ${details}`,
      lost: true,
    };
  const message = `${what}: the node failed (${status[error.code]}): ${details}`;
  if (isGone(error.metadata)) return { code: 'CUSTOM_NODE_FAILED', message, lost: false, pixelsGone: true };
  if (error.code === status.RESOURCE_EXHAUSTED) return exhausted(details, what, sentBytes);
  return { code: 'CUSTOM_NODE_FAILED', message, lost: false };
}

/** `Received message larger than max (6220851 vs. 4194304)`, of grpcio and of grpc-js (without the dot). */
function exhausted(details: string, what: string, sentBytes: number): CallFailure {
  const sizes = /\((\d{1,15}) vs\.? (\d{1,15})\)/.exec(details);
  if (sizes === null)
    return {
      code: 'CUSTOM_NODE_FAILED',
      message: `${what}: the node has no room (RESOURCE_EXHAUSTED): ${details}`,
      lost: false,
    };
  const [size, limit] = [Number(sizes[1]), Number(sizes[2])];
  if (size !== sentBytes)
    return {
      code: 'CUSTOM_NODE_ANSWER_INVALID',
      message: `${what}: the answer ${sizesText(size, limit)} bytes that are taken here`,
      lost: false,
    };
  return { code: 'CUSTOM_NODE_MESSAGE_TOO_LARGE', message: tooLarge(what, size, limit), lost: false, limit };
}

/** The sentence for a message that does not fit, with both numbers and what to do. */
export function tooLarge(what: string, size: number, limit: number): string {
  return (
    `${what}: message ${sizesText(size, limit)} bytes that the node takes; ` +
    'configure downscale, let the node ask for JPEG, or raise the limit of its server'
  );
}

function sizesText(size: number, limit: number): string {
  return `${size.toLocaleString('en-US')} > ${limit.toLocaleString('en-US')}`;
}

/** What somebody else wrote ends up in logs and in a twin. */
function clipped(details: string): string {
  return details.slice(0, 500).replaceAll(/\p{Cc}/gu, ' ');
}

import { messageOf } from '@vantage/contracts';
import type { NodeFailure } from '../errors.ts';
import type { SentPixels } from '../pixel-path.ts';
import type { ClientFrame, NodePicture } from '../types.ts';
import type { CallFailure } from './call-failure.ts';
import type { CallAnswer } from './connection.ts';

/** The pixels of an answer, where it has some beside its message; undefined: the node did not get those of the frame. */
export function takePixels(
  beside: SentPixels,
  answer: CallAnswer | CallFailure,
): { readonly answer: Buffer | undefined } | undefined {
  if ('code' in answer) return answer.pixelsGone === true ? undefined : { answer: undefined };
  try {
    return { answer: beside.receive(answer.metadata) };
  } catch {
    return undefined;
  }
}

/**
 * Gives the picture of an answer to the frame's `takeImage`, or into the result; for that, what lies in shared memory is
 * copied out of it.
 */
export function handOver(
  image: NodePicture | undefined,
  { frameId, takeImage }: ClientFrame,
  shared: Buffer | undefined,
): { readonly image?: NodePicture } | NodeFailure {
  if (image === undefined) return {};
  if (takeImage === undefined) {
    const isShared = image.pixels.buffer === shared?.buffer;
    return { image: isShared ? { ...image, pixels: Buffer.from(image.pixels) } : image };
  }
  try {
    takeImage(image);
    return {};
  } catch (error) {
    const message = `frame ${frameId}: the picture of the answer was not taken: ${messageOf(error)}`;
    return { code: 'CUSTOM_NODE_ANSWER_INVALID', message };
  }
}

import type Docker from 'dockerode';
import { VantageError, messageOf } from '@vantage/contracts';
import { followProgress } from './follow-progress.ts';

/**
 * An engine may refuse at once, or answer 200 and tell of a failure on the way.
 *
 * @throws VantageError IMAGE_PUSH_FAILED
 */
export async function followPush(
  docker: Docker,
  push: () => Promise<NodeJS.ReadableStream>,
  image: string,
): Promise<void> {
  const failure = (problem: string, cause: unknown): VantageError =>
    new VantageError('IMAGE_PUSH_FAILED', `${image} is not pushed: ${problem.trim()}`, { cause });
  const stream = await push().catch((error: unknown) => {
    throw failure(messageOf(error), error);
  });
  await followProgress(docker, stream, failure);
}

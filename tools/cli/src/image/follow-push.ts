import type Docker from 'dockerode';
import { VantageError, messageOf } from '@vantage/contracts';

interface PushEvent {
  readonly error?: string;
}

interface Follower {
  followProgress(
    stream: NodeJS.ReadableStream,
    onEnd: (error: Error | null) => void,
    onEvent: (event: PushEvent) => void,
  ): void;
}

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
  await new Promise<void>((resolve, reject) => {
    let problem: string | undefined;
    (docker as unknown as Follower).followProgress(
      stream,
      (cause) => {
        problem ??= cause?.message;
        if (problem === undefined) resolve();
        else reject(failure(problem, cause));
      },
      ({ error }) => {
        problem ??= error;
      },
    );
  });
}

import type Docker from 'dockerode';

/** What an engine tells on the way; of a failure in its last event only, behind a 200. */
export interface ProgressEvent {
  readonly stream?: string;
  readonly error?: string;
}

/** The part of dockerode that its types leave out: it reads what either builder says. */
interface Follower {
  followProgress(
    stream: NodeJS.ReadableStream,
    onEnd: (error: Error | null) => void,
    onEvent: (event: ProgressEvent) => void,
  ): void;
}

/**
 * Follows what an engine does to its end.
 *
 * @param failure makes the error of what the engine says is wrong
 */
export function followProgress(
  docker: Docker,
  stream: NodeJS.ReadableStream,
  failure: (problem: string, cause: unknown) => Error,
  onEvent: (event: ProgressEvent) => void = () => undefined,
): Promise<void> {
  return new Promise((resolve, reject) => {
    let problem: string | undefined;
    (docker as unknown as Follower).followProgress(
      stream,
      (cause) => {
        problem ??= cause?.message;
        if (problem === undefined) resolve();
        else reject(failure(problem.trim(), cause));
      },
      (event) => {
        problem ??= event.error;
        onEvent(event);
      },
    );
  });
}

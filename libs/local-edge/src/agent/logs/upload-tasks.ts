import { randomUUID } from 'node:crypto';
import { messageOf } from '@vantage/contracts';
import { redact } from '@vantage/observability';

export type TaskStatus = 'NotStarted' | 'Running' | 'Completed' | 'Failed' | 'Unknown';

/** A task as methods answer it (contract iot-edge-runtime C.4). */
export interface TaskAnswer {
  readonly status: TaskStatus;
  readonly message: string;
  readonly correlationId: string;
}

const MAX_TASKS = 100;

/** Uploads that go on after their method was answered. The last 100 are remembered. */
export class UploadTasks {
  readonly #tasks = new Map<string, TaskAnswer>();
  readonly #abort = new AbortController();
  readonly #running = new Set<Promise<void>>();

  start(work: (signal: AbortSignal) => Promise<void>): TaskAnswer {
    const correlationId = randomUUID();
    const set = (status: TaskStatus, message: string): TaskAnswer => {
      const answer = { status, message, correlationId };
      this.#tasks.set(correlationId, answer);
      return answer;
    };
    const running = work(this.#abort.signal).then(
      () => void set('Completed', ''),
      (error: unknown) => void set('Failed', redact(messageOf(error))),
    );
    this.#running.add(running);
    void running.then(() => this.#running.delete(running));
    const [oldest] = this.#tasks.keys();
    if (this.#tasks.size >= MAX_TASKS && oldest !== undefined) this.#tasks.delete(oldest);
    return set('Running', '');
  }

  status(correlationId: string): TaskAnswer {
    return this.#tasks.get(correlationId) ?? { status: 'Unknown', message: '', correlationId };
  }

  /** Gives up what is under way. */
  async stop(): Promise<void> {
    this.#abort.abort();
    await Promise.all(this.#running);
  }
}

const UPLOAD_TIMEOUT_MS = 300_000;

/**
 * Puts a block blob into the container that a SAS URL opens (Azure Blob REST, Put Blob).
 * @throws Error with the status and the service's own reason; never with the URL, which is a credential
 */
export async function putBlob(sasUrl: string, name: string, body: Buffer, signal: AbortSignal): Promise<void> {
  const url = new URL(sasUrl);
  url.pathname = `${url.pathname.replace(/\/$/, '')}/${name.split('/').map(encodeURIComponent).join('/')}`;
  let response: Response;
  try {
    response = await fetch(url, {
      method: 'PUT',
      headers: { 'x-ms-blob-type': 'BlockBlob', 'x-ms-version': '2020-10-02' },
      body: new Uint8Array(body),
      signal: AbortSignal.any([signal, AbortSignal.timeout(UPLOAD_TIMEOUT_MS)]),
    });
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    throw new Error(`${name} cannot be uploaded to ${url.host}: ${messageOf(cause)}`, { cause: error });
  }
  const text = await response.text();
  if (response.ok) return;
  const reason = /<Code>([^<]*)<\/Code>/.exec(text)?.[1] ?? response.statusText;
  throw new Error(`${name} was refused by ${url.host}: ${response.status} ${reason}`);
}

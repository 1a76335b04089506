import { codeOf, isTwinObject, messageOf, type TwinObject } from '@vantage/contracts';
import { invalidArgument } from '../errors.ts';
import type { TwinStore } from '../twin/store.ts';
import type { Connections } from './connections.ts';
import type { DesiredUpdates } from './desired-updates.ts';

/** What the client did wrong; anything else is the hub's. */
const CLIENT_ERRORS = new Set(['EDGE_TWIN_PATCH_INVALID', 'EDGE_INVALID_ARGUMENT']);

/**
 * Answers what a client asks of its own twin. Answers go out on the live connection whether or not the client is
 * subscribed: the SDK forgets to subscribe after a reconnect (contract iot-edge-runtime 0.2).
 */
export class TwinRequests {
  readonly #twins: TwinStore;
  readonly #connections: Connections;

  readonly #updates: DesiredUpdates;

  constructor(twins: TwinStore, connections: Connections, updates: DesiredUpdates) {
    this.#twins = twins;
    this.#connections = connections;
    this.#updates = updates;
  }

  get(clientId: string, requestId: string): void {
    const twin = this.#twins.get(clientId);
    const isSent = this.#reply(clientId, requestId, 200, {
      desired: { ...twin.desired, $version: twin.desiredVersion },
      reported: { ...twin.reported, $version: twin.reportedVersion },
    });
    if (isSent) this.#updates.read(clientId, twin.desiredVersion);
  }

  /** Merges a patch into the reported properties; what is wrong with it goes to the client. */
  async patchReported(clientId: string, requestId: string, payload: Buffer): Promise<void> {
    try {
      const version = await this.#twins.patchReported(clientId, parsePatch(payload));
      this.#reply(clientId, requestId, 204, undefined, version);
    } catch (error) {
      // The body is not optional: without it the SDK throws inside a callback, or takes the update for done.
      const code = codeOf(error);
      const status = CLIENT_ERRORS.has(code ?? '') ? 400 : 503;
      this.#reply(clientId, requestId, status, { errorCode: status, code, message: messageOf(error) });
    }
  }

  #reply(clientId: string, requestId: string, status: number, body: object | undefined, version?: number): boolean {
    const suffix = version === undefined ? '' : `&$version=${version}`;
    const topic = `$iothub/twin/res/${status}/?$rid=${encodeURIComponent(requestId)}${suffix}`;
    const text = body === undefined ? '' : JSON.stringify(body);
    return this.#connections.send(clientId, topic, text, 0) !== undefined;
  }
}

function parsePatch(payload: Buffer): TwinObject {
  let patch: unknown;
  try {
    patch = JSON.parse(payload.toString('utf8'));
  } catch (error) {
    throw invalidArgument(`the reported properties are not JSON: ${messageOf(error)}`, error);
  }
  if (!isTwinObject(patch)) throw invalidArgument('the reported properties are not a JSON object');
  return patch;
}

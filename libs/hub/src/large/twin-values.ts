import { TWIN_BLOB_LIMITS, VantageError, pathOf, readTwinBlob, type TwinBlob } from '@vantage/contracts';
import { SignedBlobs } from './signed-blobs.ts';
import type { SpilledValue } from './spill.ts';

const CONTAINER = 'twins';

/** Where large values of twins go, and who says so. */
export interface ValueAccount {
  /** Undefined where no storage account is named. @throws VantageError BLOB_STORE_UNKNOWN for a useless one */
  readonly find: () => Promise<TwinValues | undefined>;
  /** How to name one, for people. */
  readonly way: string;
}

/** The large values of twins in the storage account of a solution. */
export class TwinValues {
  readonly #blobs: SignedBlobs;

  private constructor(blobs: SignedBlobs) {
    this.#blobs = blobs;
  }

  /** @throws VantageError BLOB_STORE_UNKNOWN */
  static async open(connection: string): Promise<TwinValues> {
    return new TwinValues(await SignedBlobs.open(connection, CONTAINER));
  }

  /** Puts values there by their hash. @throws VantageError BLOB_STORE_FAILED, TWIN_TOO_LARGE */
  async store(values: readonly SpilledValue[]): Promise<TwinBlob[]> {
    requireReadable(values);
    const blobHTTPHeaders = { blobContentType: 'application/json' };
    const addresses = await this.#blobs.put(
      values.map(({ sha256, body }) => ({
        name: nameOf(sha256),
        send: (blob) => blob.upload(body, body.length, { blobHTTPHeaders }),
      })),
    );
    return values.map(({ sha256, body }, at) => ({ vantageBlob: addresses[at] ?? '', sha256, bytes: body.length }));
  }

  /** Lets the addresses that there are work for another year. @throws VantageError BLOB_STORE_FAILED */
  renew(): Promise<void> {
    return this.#blobs.renew();
  }

  /** The value of a blob, whether its address still works or not. @throws VantageError TWIN_BLOB_UNREADABLE, TWIN_BLOB_INVALID */
  async read(blob: TwinBlob): Promise<unknown> {
    return readTwinBlob({ ...blob, vantageBlob: await this.#blobs.ownAddress(nameOf(blob.sha256)) });
  }
}

/** @throws VantageError TWIN_TOO_LARGE */
export function requireReadable(values: readonly SpilledValue[]): void {
  const tooLarge = values.find(({ body }) => body.length > TWIN_BLOB_LIMITS.bytes);
  if (!tooLarge) return;
  throw new VantageError(
    'TWIN_TOO_LARGE',
    `${pathOf('', ...tooLarge.path)} has ${tooLarge.body.length} bytes; modules read at most ${TWIN_BLOB_LIMITS.bytes}`,
  );
}

function nameOf(sha256: string): string {
  return `${sha256}.json`;
}

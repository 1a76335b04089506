/**
 * The process of the local storage account: Azurite (blob service only), which ends when its standard input does, so that
 * nothing of it outlives the runtime, however that ends.
 *
 * Azurite keeps its books in memory and writes them to disk every five seconds: killed in between, it forgets blobs that
 * it had confirmed, and the clips behind them were deleted on its word. Here the books are written before an answer that
 * changes them leaves (Azurite 3.36, `LokiBlobMetadataStore`; tested by e2e/evidence.spec.ts). When the disk has no room
 * that is said, and nothing is confirmed that is not on it (e2e/storage-trouble.spec.ts).
 */
import { createRequire } from 'node:module';
import { Readable } from 'node:stream';

interface Book {
  readonly db: { saveDatabase(done: (error?: Error) => void): void };
}
type Method = (this: Book, ...parameters: unknown[]) => Promise<unknown>;
interface BookClass {
  readonly default: { readonly prototype: Record<string, Method> };
}

/** What changes which blobs there are. Blocks that nobody committed may be forgotten: they are staged again. */
const CHANGES = [
  ...['createContainer', 'deleteContainer', 'setContainerMetadata', 'setContainerACL', 'setServiceProperties'],
  ...['createBlob', 'commitBlockList', 'deleteBlob', 'setBlobMetadata', 'setBlobHTTPHeaders', 'setBlobTag'],
];

const require = createRequire(import.meta.url);
const blobs = require('azurite/dist/src/blob/persistence/LokiBlobMetadataStore.js') as BookClass;
const bytes = require('azurite/dist/src/common/persistence/FSExtentStore.js') as BookClass;
const { default: StorageError } = require('azurite/dist/src/blob/errors/StorageError.js') as {
  readonly default: new (status: number, code: string, message: string, requestId: string) => Error;
};
const extents = require('azurite/dist/src/common/persistence/LokiExtentMetadataStore.js') as BookClass;
const extentBooks = new Set<Book>();

/** There is something in memory that the disk has not taken. */
let isBehind = false;

const save = (book: Book): Promise<void> =>
  new Promise((resolve, reject) => {
    book.db.saveDatabase((error) => {
      if (error) reject(error);
      else resolve();
    });
  });

async function saveAll(book: Book): Promise<void> {
  try {
    // Where the bytes are comes first: a blob without them could not be read.
    await Promise.all([...extentBooks].map(save));
    await save(book);
    isBehind = false;
  } catch (error) {
    isBehind = true;
    refuse(error);
  }
}

/** A disk without room: Azurite would answer 500 without a word. */
function refuse(error: unknown): never {
  // Of the books' error only the text is there.
  if (!/ENOSPC|EDQUOT/.test(String(error))) throw error;
  throw new StorageError(507, 'InsufficientStorage', 'the disk of this storage account has no room', '');
}

/** Puts another method around one of Azurite's. */
function around(owner: BookClass, name: string, outer: (original: Method) => Method): void {
  const { prototype } = owner.default;
  const original = prototype[name];
  if (original === undefined) throw new Error(`this Azurite has no ${name}: it is another version than 3.36`);
  prototype[name] = outer(original);
}

function after(owner: BookClass, name: string, then: (book: Book) => Promise<void>): void {
  around(owner, name, (original) => {
    return async function (...parameters) {
      const result = await original.apply(this, parameters);
      await then(this);
      return result;
    };
  });
}

after(extents, 'init', (book) => {
  extentBooks.add(book);
  return Promise.resolve();
});
for (const name of CHANGES) after(blobs, name, saveAll);

// What is only in memory is not told: a client would remove its file on this word.
around(blobs, 'getBlobProperties', (original) => {
  return async function (...parameters) {
    if (isBehind) await saveAll(this);
    return original.apply(this, parameters);
  };
});

around(bytes, 'appendExtent', (original) => {
  return async function (...parameters) {
    try {
      return await original.apply(this, parameters);
    } catch (error) {
      // The rest of the request has to be read, or the next one on its connection never gets an answer.
      const [body] = parameters;
      if (body instanceof Readable) body.removeAllListeners('data').resume();
      return refuse(error);
    }
  };
});

// A hash that a client gave is a Buffer, comes back from disk as `{type: 'Buffer', data}`, and Azurite refuses its own
// books: after a restart such blobs answer 500, and it ends when it looks for unused blocks.
const { prototype } = blobs.default;
const { restoreUint8Array } = prototype as unknown as Record<string, (this: Book, value: unknown) => unknown>;
(prototype as Record<string, unknown>)['restoreUint8Array'] = function (this: Book, value: unknown) {
  const { type, data } = (value ?? {}) as { type?: unknown; data?: unknown };
  if (type === 'Buffer' && Array.isArray(data)) return new Uint8Array(data as number[]);
  return restoreUint8Array?.call(this, value);
};

process.stdin.on('end', () => process.exit());
process.stdin.on('error', () => process.exit());
process.stdin.resume();
// Azurite reads its options from the command line, which is this process's own.
require('azurite/dist/src/blob/main.js');

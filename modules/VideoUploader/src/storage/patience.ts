/** A block of a clip, on the slowest line that is worth while; one that takes longer is tried again. */
const BLOCK_MS = 120_000;
/** A request that carries no bytes of a clip. */
const QUESTION_MS = 20_000;

/** Ends a question to storage with the uploader, or when nobody answers it. */
export function question(signal: AbortSignal): AbortSignal {
  return AbortSignal.any([signal, AbortSignal.timeout(QUESTION_MS)]);
}

/** Ends the sending of a block with the uploader, or when it takes too long. */
export function sending(signal: AbortSignal): AbortSignal {
  return AbortSignal.any([signal, AbortSignal.timeout(BLOCK_MS)]);
}

import type { ModelOutput } from '../model-output.ts';

/** Memory of outputs that is moved instead of copied: maps, masks, embeddings and tensors own theirs. */
export function buffersOf(outputs: readonly ModelOutput[]): ArrayBuffer[] {
  const buffers = new Set<ArrayBuffer>();
  const add = (view: ArrayBufferView | undefined): void => {
    // A view of a part would take the rest along.
    if (view?.buffer instanceof ArrayBuffer && view.byteLength === view.buffer.byteLength) buffers.add(view.buffer);
  };
  for (const { detections, segmentation, embedding, tensors } of outputs) {
    for (const { mask } of detections) add(mask?.data);
    add(segmentation?.classes);
    add(embedding);
    for (const { data } of tensors ?? []) add(data);
  }
  return [...buffers];
}

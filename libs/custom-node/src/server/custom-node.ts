import type { NodeAnswer, NodeDescription, NodeFrame, NodeIds } from '../types.ts';

/** What `process` is told besides the frame. */
export interface ProcessContext {
  /** Of the client's handshake: the camera's id is `device`. Empty texts where the client gave none. */
  readonly ids: NodeIds;
  /** Aborted when nobody waits for the answer any more: deadline, client gone, drain over. */
  readonly signal: AbortSignal;
}

/**
 * Somebody's code in a pipeline. Subclass it, say what frames it wants, and look at each of them.
 *
 * @example
 * class Flip extends CustomNode {
 *   describe() {
 *     return { image: 'numpy', response: 'image' } as const;
 *   }
 *   async process(frame: NodeFrame) {
 *     return { image: await fromSharp(toSharp(frame).flop()) };
 *   }
 * }
 * await new CustomNodeServer(new Flip(), { port: 6677 }).start();
 */
export abstract class CustomNode {
  /** Asked at each handshake; the answer holds for that connection. */
  abstract describe(ids: NodeIds): NodeDescription;

  /**
   * An exception costs this frame only: the client gets its text, as UNKNOWN, or as the gRPC status in the exception's
   * `grpcCode`. One that gives up before the work has ended says so by its `stillWorking`, a promise: until it settles the
   * pixels stay the node's own. `undefined`: the frame passes as it is.
   */
  abstract process(
    frame: NodeFrame,
    context: ProcessContext,
  ): Promise<NodeAnswer | undefined | void> | NodeAnswer | undefined | void;

  /** Before the server listens: load models here. */
  start(): Promise<void> | void {}

  /** After the last call. */
  stop(): Promise<void> | void {}
}

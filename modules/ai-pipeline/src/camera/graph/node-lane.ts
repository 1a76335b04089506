import { messageOf } from '@vantage/contracts';
import type { GraphEdge } from '@vantage/skill';
import { EdgeQueue, type EdgeCounters } from '../edge-queue.ts';
import type { CameraFrame, GraphStage } from './stage.ts';

export interface NodeLaneHandlers {
  /** What the node made of a frame, in order. A returned promise holds the next one back. The picture is only lent. */
  readonly onFrame: (frame: CameraFrame) => void | Promise<void>;
  /** A stage threw: that is a mistake of ours. */
  readonly onError: (reason: string) => void;
  /** A frame came to wait here (1), or has left (-1). */
  readonly onCount: (change: 1 | -1) => void;
}

interface UnderWay {
  readonly frame: CameraFrame;
  done: boolean;
  answer: CameraFrame | undefined;
}

interface Work {
  readonly stage: GraphStage;
  underWay: number;
  retired: boolean;
}

/** A node of a graph for one camera: a queue for each of its edges, its stage, and answers in the order of the frames. */
export class NodeLane {
  readonly #handlers: NodeLaneHandlers;
  readonly #inputs = new Map<string, { readonly queue: GraphEdge['queue']; readonly edge: EdgeQueue<CameraFrame> }>();
  readonly #underWay: UnderWay[] = [];
  readonly #stopping: Promise<unknown>[] = [];
  #work: Work;
  #delivering = false;
  #stopped = false;

  constructor(stage: GraphStage, handlers: NodeLaneHandlers) {
    this.#handlers = handlers;
    this.#work = { stage, underWay: 0, retired: false };
  }

  get stage(): GraphStage {
    return this.#work.stage;
  }

  /** By the node that the edge comes from. */
  get edges(): ReadonlyMap<string, EdgeCounters> {
    return new Map([...this.#inputs].map(([from, { edge }]) => [from, edge.counters]));
  }

  /** Frames that wait stay, if their edge does. */
  setInputs(edges: readonly Pick<GraphEdge, 'from' | 'queue'>[]): void {
    const wanted = new Map(edges.map(({ from, queue }) => [from, queue]));
    for (const [from, { queue, edge }] of this.#inputs) {
      const now = wanted.get(from);
      if (now?.capacity === queue.capacity && now.policy === queue.policy) {
        wanted.delete(from);
        continue;
      }
      this.#inputs.delete(from);
      for (let frame = edge.shift(); frame; frame = edge.shift()) this.#drop(frame);
    }
    for (const [from, queue] of wanted) {
      this.#inputs.set(from, { queue, edge: new EdgeQueue(queue, (frame) => this.#drop(frame)) });
    }
  }

  /** From the next frame on. What is under way at the old one still comes, in its place. */
  use(stage: GraphStage): void {
    this.#retire();
    this.#work = { stage, underWay: 0, retired: false };
  }

  /** Takes a frame in; its picture is retained. A returned promise means: wait before the next one. */
  push(from: string, frame: CameraFrame): void | Promise<void> {
    const edge = this.#inputs.get(from)?.edge;
    if (!edge || this.#stopped) return undefined;
    frame.picture?.retain();
    this.#handlers.onCount(1);
    const held = edge.push(frame);
    this.#pump();
    return edge.size === 0 ? undefined : held;
  }

  /** Resolves when the stage has ended, and those before it. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.setInputs([]);
    this.#retire();
    await Promise.all(this.#stopping);
  }

  #pump(): void {
    const work = this.#work;
    while (!this.#stopped && this.#underWay.length < (work.stage.concurrency ?? 1)) {
      const frame = this.#next();
      if (!frame) return;
      this.#run(work, frame);
    }
  }

  /** Of a node with several parents: the frame that is oldest. */
  #next(): CameraFrame | undefined {
    let oldest: EdgeQueue<CameraFrame> | undefined;
    let leastUs = Infinity;
    for (const { edge } of this.#inputs.values()) {
      const us = edge.peek()?.insights.ptsUs ?? Infinity;
      if (us < leastUs) [oldest, leastUs] = [edge, us];
    }
    return oldest?.shift();
  }

  #run(work: Work, frame: CameraFrame): void {
    const entry: UnderWay = { frame, done: false, answer: undefined };
    this.#underWay.push(entry);
    work.underWay += 1;
    const finish = (answer: CameraFrame | undefined): void => {
      entry.done = true;
      entry.answer = answer;
      work.underWay -= 1;
      if (work.retired && work.underWay === 0) this.#end(work.stage);
      this.#settle();
    };
    try {
      const answer = work.stage.process(frame);
      if (!(answer instanceof Promise)) finish(answer);
      else answer.then(finish, (error: unknown) => this.#failed(error, finish));
    } catch (error) {
      this.#failed(error, finish);
    }
  }

  #failed(error: unknown, finish: (answer: undefined) => void): void {
    this.#handlers.onError(messageOf(error));
    finish(undefined);
  }

  /** Hands finished frames on, in their order. */
  #settle(): void {
    while (!this.#delivering && this.#underWay[0]?.done === true) {
      const [entry] = this.#underWay;
      const { frame, answer } = entry;
      const held = answer && !this.#stopped ? this.#handlers.onFrame(answer) : undefined;
      const leave = (): void => {
        this.#underWay.shift();
        if (answer && answer.picture !== frame.picture) answer.picture?.release();
        this.#drop(frame);
      };
      if (!held) {
        leave();
        continue;
      }
      this.#delivering = true;
      void held.finally(() => {
        this.#delivering = false;
        leave();
        this.#settle();
      });
    }
    this.#pump();
  }

  #drop(frame: CameraFrame): void {
    frame.picture?.release();
    this.#handlers.onCount(-1);
  }

  #retire(): void {
    const work = this.#work;
    if (work.retired) return;
    work.retired = true;
    if (work.underWay === 0) this.#end(work.stage);
  }

  #end(stage: GraphStage): void {
    const done = Promise.resolve(stage.stop()).catch((error: unknown) => this.#handlers.onError(messageOf(error)));
    this.#stopping.push(done);
    void done.finally(() => this.#stopping.splice(this.#stopping.indexOf(done), 1));
  }
}

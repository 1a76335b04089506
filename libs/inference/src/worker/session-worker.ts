/** Entry of an inference worker: one session, any number of cameras in turn, a batch of frames at a time. */
import { parentPort, workerData, type MessagePort } from 'node:worker_threads';
import { codeOf, messageOf } from '@vantage/contracts';
import type { FrameReply, FrameRequest } from '../frame-port.ts';
import type { ModelOutput } from '../model-output.ts';
import type { FromWorker, ToWorker, WorkerSetup } from '../worker-protocol.ts';
import { FrameQueue, type QueuedFrame } from './frame-queue.ts';
import { Session, type SessionAnswer, type SessionItem } from './session.ts';
import { buffersOf } from './transfer.ts';

const parent = parentPort;
if (parent === null) throw new Error('session-worker.ts runs in a worker thread only');

const queue = new FrameQueue<MessagePort>();
const ports = new Set<MessagePort>();
let working = false;
let stopping = false;

async function drain(session: Session): Promise<void> {
  if (working) return;
  working = true;
  for (let taken = queue.take(session.slots); taken.length > 0; taken = queue.take(session.slots)) {
    const started = performance.now();
    const parts = taken.map(({ frame }) => itemsOf(frame));
    const answers = await session.run(parts.flat());
    const spentUs = (performance.now() - started) * 1000;
    let at = 0;
    for (const [index, own] of taken.entries()) {
      const count = (parts[index] as SessionItem[]).length;
      const share = Math.round((spentUs * Math.max(1, count)) / Math.max(1, answers.length));
      reply(own, answers.slice(at, at + count), share);
      at += count;
    }
  }
  working = false;
}

function itemsOf(frame: FrameRequest): SessionItem[] {
  return frame.regions ? frame.regions.map((region) => ({ frame, region })) : [{ frame }];
}

function reply(
  { port, frame }: QueuedFrame<MessagePort>,
  answers: readonly SessionAnswer[],
  inferenceUs: number,
): void {
  const { id, pixels } = frame;
  const failed = answers.find((answer) => 'error' in answer);
  const outputs = failed ? [] : answers.flatMap((answer): ModelOutput[] => ('output' in answer ? [answer.output] : []));
  const message: FrameReply = { id, pixels, outputs, inferenceUs, ...(failed ? { error: failed.error } : {}) };
  port.postMessage(message, [pixels, ...buffersOf(outputs)]);
}

function refuse(port: MessagePort, { id, pixels }: FrameRequest, error: string): void {
  port.postMessage({ id, pixels, outputs: [], inferenceUs: 0, error } satisfies FrameReply, [pixels]);
}

/** The cameras close their ports when they have the answers they wait for; the pool ends a worker that waits too long. */
function endWhenUnused(session: Session): void {
  if (!stopping || ports.size > 0) return;
  parent?.close();
  void session.close();
}

function send(message: FromWorker): void {
  parent?.postMessage(message);
}

const { spec, runner } = workerData as WorkerSetup;
try {
  const session = await Session.open(spec, runner);
  parent.on('message', (message: ToWorker) => {
    switch (message.kind) {
      case 'connect': {
        const { port } = message;
        ports.add(port);
        port.once('close', () => {
          ports.delete(port);
          endWhenUnused(session);
        });
        port.on('message', (frame: FrameRequest) => {
          if (queue.push(port, frame)) void drain(session);
          else refuse(port, frame, 'too many frames of this camera wait for the model');
        });
        break;
      }
      case 'stop':
        stopping = true;
        endWhenUnused(session);
    }
  });
  send({ kind: 'ready', report: session.report });
} catch (error) {
  const message = messageOf(error);
  send({
    kind: 'failed',
    code: codeOf(error) ?? 'MODEL_LOAD_FAILED',
    message: message.includes(spec.name) ? message : `${spec.name}: ${message}`,
  });
  parent.close();
}

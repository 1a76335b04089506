/** Entry of an inference worker: one session, any number of cameras, one frame at a time in the order they came. */
import { parentPort, workerData, type MessagePort } from 'node:worker_threads';
import { codeOf, messageOf } from '@vantage/contracts';
import type { FrameReply, FrameRequest } from '../frame-port.ts';
import type { ModelSpec } from '../model-spec.ts';
import type { FromWorker, ToWorker } from '../worker-protocol.ts';
import { Session } from './session.ts';

const parent = parentPort;
if (parent === null) throw new Error('session-worker.ts runs in a worker thread only');

/** Bounded by the cameras: each keeps at most two frames under way (`InferenceClient.inFlight`). */
const queue: { port: MessagePort; frame: FrameRequest }[] = [];
const ports = new Set<MessagePort>();
let working = false;
let stopping = false;

async function drain(session: Session): Promise<void> {
  if (working) return;
  working = true;
  for (let next = queue.shift(); next; next = queue.shift()) {
    const { port, frame } = next;
    const started = performance.now();
    const reply = await answer(session, frame, started);
    port.postMessage(reply, [reply.pixels]);
  }
  working = false;
}

async function answer(session: Session, frame: FrameRequest, started: number): Promise<FrameReply> {
  const { id, pixels } = frame;
  try {
    const detections = await session.run(frame);
    return {
      id,
      pixels,
      outputs: [{ detections, attributes: [] }],
      inferenceUs: Math.round((performance.now() - started) * 1000),
    };
  } catch (error) {
    return { id, pixels, outputs: [], inferenceUs: 0, error: messageOf(error) };
  }
}

/** The cameras close their ports when they have the answers they wait for; the pool ends a worker that waits too long. */
function endWhenUnused(): void {
  if (stopping && ports.size === 0) parent?.close();
}

function send(message: FromWorker): void {
  parent?.postMessage(message);
}

try {
  const session = await Session.open(workerData as ModelSpec);
  parent.on('message', (message: ToWorker) => {
    switch (message.kind) {
      case 'connect': {
        const { port } = message;
        ports.add(port);
        port.once('close', () => {
          ports.delete(port);
          endWhenUnused();
        });
        port.on('message', (frame: FrameRequest) => {
          queue.push({ port, frame });
          void drain(session);
        });
        break;
      }
      case 'stop':
        stopping = true;
        endWhenUnused();
    }
  });
  send({ kind: 'ready', report: session.report });
} catch (error) {
  send({ kind: 'failed', code: codeOf(error) ?? 'MODEL_LOAD_FAILED', message: messageOf(error) });
  parent.close();
}

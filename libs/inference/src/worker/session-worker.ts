/** Entry of an inference worker: one session, any number of cameras. */
import { parentPort, workerData } from 'node:worker_threads';
import { codeOf, messageOf } from '@vantage/contracts';
import type { FromWorker, ToWorker, WorkerSetup } from '../worker-protocol.ts';
import { FrameServer } from './frame-server.ts';
import { openSession } from './open-session.ts';

const parent = parentPort;
if (parent === null) throw new Error('session-worker.ts runs in a worker thread only');

function send(message: FromWorker): void {
  parent?.postMessage(message);
}

const { spec, runner, parserHost } = workerData as WorkerSetup;
try {
  const { session, report, batching } = await openSession(spec, runner, {
    parserHost,
    log: (level, text, fields = {}) => send({ kind: 'log', level, text, fields }),
  });
  const server = new FrameServer(session, batching);
  let stopping = false;
  /** Cameras close their ports when they have the answers they wait for; the pool ends a worker that waits too long. */
  const endWhenUnused = (): void => {
    if (!stopping || server.cameras > 0) return;
    stopping = false;
    void session.close().finally(() => parent.close());
  };
  parent.on('message', (message: ToWorker) => {
    switch (message.kind) {
      case 'connect':
        server.connect(message.port, message.load, endWhenUnused);
        break;
      case 'measure':
        void session.time(1, message.forMs).then((runMs) => send({ kind: 'measured', runMs }));
        break;
      case 'stop':
        stopping = true;
        endWhenUnused();
    }
  });
  send({ kind: 'ready', report });
} catch (error) {
  const message = messageOf(error);
  send({
    kind: 'failed',
    code: codeOf(error) ?? 'MODEL_LOAD_FAILED',
    message: message.includes(spec.name) ? message : `${spec.name}: ${message}`,
  });
  parent.close();
}

import { readFile } from 'node:fs/promises';
import { Socket } from 'node:net';
import {
  CustomNode,
  CustomNodeServer,
  type NodeAnswer,
  type NodeDescription,
  type NodeFrame,
  type NodeIds,
  type ProcessContext,
} from '@vantage/custom-node';
import type { BuiltinName } from '../builtin/names.ts';
import { createBuiltin } from '../builtin/registry.ts';
import { JsonLines, type FromProcess, type ProcessSetup, type ToProcess } from '../supervisor/messages.ts';
import { sharePort } from '../supervisor/reuse-port.ts';
import { CallGate } from './call-gate.ts';
import { describeError } from './describe-error.ts';
import { loadNode } from './load.ts';
import { endWithHost } from './watchdog.ts';

/** Serves one node in TypeScript or JavaScript. The main file of a process; `messages.ts` is what it speaks with the host. */

const CHANNEL = 3;

/** The node with its gate before it. */
class Guarded extends CustomNode {
  readonly #node: CustomNode;
  readonly #gate: CallGate;

  constructor(node: CustomNode, gate: CallGate) {
    super();
    this.#node = node;
    this.#gate = gate;
  }

  override describe(ids: NodeIds): NodeDescription {
    return this.#node.describe(ids);
  }

  override process(frame: NodeFrame, context: ProcessContext): Promise<NodeAnswer | undefined | void> {
    return this.#gate.run(() => this.#node.process(frame, context));
  }

  override start(): Promise<void> | void {
    return this.#node.start();
  }

  override stop(): Promise<void> | void {
    return this.#node.stop();
  }
}

const channel = new Socket({ fd: CHANNEL });
const tell = (message: FromProcess): void => void channel.write(`${JSON.stringify(message)}\n`);

function guard(node: CustomNode, setup: ProcessSetup): CustomNode {
  const { maxInFlight, deadlineMs, circuit } = setup;
  const gate = new CallGate({
    maxInFlight,
    deadlineMs,
    circuit,
    onBegin: (id) => tell({ begin: id }),
    onEnd: (id, result, ms, text) => tell({ end: id, ms, result, ...(text === undefined ? {} : { text }) }),
    onStuck: (text) => tell({ stuck: text }),
    onCircuit: (state, text) => tell({ circuit: state, ...(text === undefined ? {} : { text }) }),
  });
  return new Guarded(node, gate);
}

async function serve(setup: ProcessSetup): Promise<CustomNodeServer> {
  const { entry, settings, root, host, port, token, tls, maxInFlight } = setup;
  const node = setup.builtin
    ? await createBuiltin(entry as BuiltinName, settings, root)
    : await loadNode(entry, settings);
  sharePort(port);
  const server = new CustomNodeServer(guard(node, setup), {
    host,
    port,
    // The gate bounds what the node works on, and says why it refuses.
    concurrency: 2 * maxInFlight + 1,
    drainMs: setup.drainMs,
    ...(token === undefined ? {} : { token }),
    ...(tls === undefined ? {} : { tls: { cert: await readFile(tls.certFile), key: await readFile(tls.keyFile) } }),
  });
  tell({ ready: await server.start() });
  return server;
}

let server: CustomNodeServer | undefined;

async function onMessage(message: ProcessSetup | ToProcess): Promise<void> {
  if ('drain' in message) {
    await server?.stop();
    process.exit(0);
  }
  try {
    server = await serve(message);
  } catch (error) {
    channel.end(`${JSON.stringify({ failed: describeError(error, message.folder) })}\n`, () => process.exit(1));
  }
}

endWithHost();
const lines = new JsonLines<ProcessSetup | ToProcess>((message) => void onMessage(message));
channel.on('data', (chunk: Buffer) => lines.push(chunk));

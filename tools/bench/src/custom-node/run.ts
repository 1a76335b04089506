import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { runJson } from '../pipeline/run-pipeline.ts';

export interface NodeRun {
  readonly sharedMemory: 'auto' | 'off';
  readonly answer: 'insights' | 'image';
  /** How long it takes for a frame. */
  readonly delayMs?: number;
}

export interface ClientRun {
  readonly endpoint: string;
  readonly sharedMemory: 'auto' | 'off';
  readonly inFlight: number;
  readonly width: number;
  readonly height: number;
  readonly forMs: number;
  /** Times a copy in memory between two frames. */
  readonly measureCopies?: boolean;
}

/** A camera whose frames go to one or two custom nodes. */
export interface BranchesRun {
  readonly film: string;
  /** Endpoints. */
  readonly quick: string;
  readonly slow?: string;
  readonly forMs: number;
}

export interface BranchesFigures {
  /** Frames a second behind the quick node, and behind the slow one. */
  readonly rate: number;
  readonly slowRate: number;
}

/** Of the client's process. */
export interface ClientFigures {
  readonly frames: number;
  readonly seconds: number;
  readonly cpuMs: number;
  /** Median. */
  readonly roundTripMs: number;
  /** A copy of one picture in memory; median. */
  readonly memcpyMs: number;
  /** Frames that went through shared memory. */
  readonly sharedFrames: number;
}

const PEER = path.resolve(import.meta.dirname, '../../peers/custom_node.py');

function typescript(file: string, run: NodeRun | ClientRun | BranchesRun): readonly string[] {
  const program = path.join(import.meta.dirname, file);
  return [process.execPath, '--disable-warning=ExperimentalWarning', program, JSON.stringify(run)];
}

/** A server of custom nodes in a process of its own. */
export class NodeProcess {
  readonly endpoint: string;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, port: string) {
    this.#child = child;
    this.endpoint = `127.0.0.1:${port}`;
  }

  static ours(run: NodeRun): Promise<NodeProcess> {
    return NodeProcess.#start(typescript('node-process.ts', run));
  }

  static python(interpreter: string): Promise<NodeProcess> {
    return NodeProcess.#start([interpreter, PEER, 'serve']);
  }

  static async #start([program = '', ...args]: readonly string[]): Promise<NodeProcess> {
    const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    const lines = createInterface(child.stdout);
    const [port] = (await Promise.race([once(lines, 'line'), once(child, 'close').then(() => [])])) as string[];
    if (port === undefined) throw new Error(`${program} ${args[0] ?? ''} ended before it served`);
    return new NodeProcess(child, port);
  }

  async stop(): Promise<void> {
    const closed = once(this.#child, 'close');
    this.#child.stdin?.end();
    await closed;
  }
}

export function runClient(run: ClientRun): Promise<ClientFigures> {
  return runJson(typescript('client-process.ts', run));
}

export function runBranches(run: BranchesRun): Promise<BranchesFigures> {
  return runJson(typescript('branches-process.ts', run));
}

export function runPythonClient(
  interpreter: string,
  { endpoint, width, height, forMs }: Omit<ClientRun, 'sharedMemory' | 'inFlight'>,
): Promise<Pick<ClientFigures, 'frames' | 'seconds' | 'cpuMs'>> {
  return runJson([interpreter, PEER, 'send', endpoint, ...[width, height, forMs / 1000].map(String)]);
}

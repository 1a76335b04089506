/** A custom node in a process of its own: `node-process.ts <NodeRun>`; prints its port, serves until its input ends. */
import { setTimeout as wait } from 'node:timers/promises';
import { CustomNode, CustomNodeServer, type NodeAnswer, type NodeFrame } from '@vantage/custom-node';
import type { NodeRun } from './run.ts';

const run = JSON.parse(process.argv[2] ?? '{}') as NodeRun;

/** The same answer as the Python peer's, or a picture of its own. */
class Node extends CustomNode {
  #picture = Buffer.alloc(0);

  override describe() {
    return { image: 'numpy', response: run.answer } as const;
  }

  override async process(frame: NodeFrame): Promise<NodeAnswer> {
    if (run.delayMs !== undefined) await wait(run.delayMs);
    return this.#look(frame);
  }

  #look(frame: NodeFrame): NodeAnswer {
    const { width, height, colorFormat, pixels } = frame;
    if (pixels === undefined) throw new Error('no pixels');
    if (run.answer === 'image') return { image: { width, height, colorFormat, pixels: this.#answer(pixels.length) } };
    const car = {
      timestamp: { seconds: 10n, nanos: pixels[0] ?? 0 },
      label: 'car',
      confidence: 0.9,
      inferenceId: 'inference_1',
      bbox: { l: 0.1, t: 0.2, w: 0.3, h: 0.4 },
    };
    return { insights: { objects: [car] } };
  }

  #answer(bytes: number): Buffer {
    if (this.#picture.length !== bytes) this.#picture = Buffer.alloc(bytes, 1);
    return this.#picture;
  }
}

const server = new CustomNodeServer(new Node(), { port: 0, host: '127.0.0.1', sharedMemory: run.sharedMemory });
const { port } = await server.start();
process.stdout.write(`${port}\n`);
process.stdin.resume();
process.stdin.on('end', () => void server.stop());

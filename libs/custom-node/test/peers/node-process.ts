/** A custom node in a process of its own: mirrors the first byte, or hangs; prints its port. `node-process.ts PORT [hang]` */
import { CustomNode, CustomNodeServer, type NodeAnswer, type NodeFrame } from '../../src/index.ts';

class Node extends CustomNode {
  override describe() {
    return { image: 'numpy', response: 'image' } as const;
  }

  override process({ pixels, width, height, colorFormat }: NodeFrame): NodeAnswer | Promise<NodeAnswer> {
    process.stdout.write('processing\n');
    if (process.argv[3] === 'hang') return new Promise(() => undefined);
    if (pixels === undefined) return {};
    pixels[0] = 255 - (pixels[0] ?? 0);
    return { image: { pixels, width, height, colorFormat } };
  }
}

const server = new CustomNodeServer(new Node(), { port: Number(process.argv[2]), host: '127.0.0.1' });
process.stdout.write(`${(await server.start()).port}\n`);

import { afterEach, describe, expect, test } from '@jest/globals';
import { numberedFrame } from './support/frames.ts';
import { closeAll, serve, TestNode, WatchedClient } from './support/nodes.ts';

afterEach(closeAll);

describe('our client and our server', () => {
  test('a frame arrives as it was, and what the node says comes back', async () => {
    const node = new TestNode({ image: 'numpy', response: 'insights' }, () => ({
      insights: { objects: [{ label: 'car', confidence: 0.9, bbox: { l: 0.1, t: 0.2, w: 0.3, h: 0.4 } }] },
    }));
    const { port } = await serve(node);
    const client = await new WatchedClient(port).ready();
    const frame = numberedFrame(4, 3);
    const result = await client.process(frame);
    expect(result).toMatchObject({
      ok: true,
      insights: {
        objects: [{ label: 'car', confidence: Math.fround(0.9), bbox: { l: Math.fround(0.1) } }],
        events: [],
      },
    });
    expect(node.seen[0]).toEqual(frame);
    expect(client.status).toMatchObject({ state: 'ready', wants: { image: 'numpy', response: 'insights' } });
  });
});

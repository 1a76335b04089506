import { NO_INSIGHTS, type ClientFrame, type NodeIds } from '../../src/index.ts';

export const IDS: NodeIds = { instance: 'instance-1', skill: 'skill-1', device: 'camera-1' };

const NUMBERS = Buffer.from(Array.from({ length: 256 }, (_, value) => value));

/** A frame with pixels 0, 1, 2, ... (mod 256), in BGR. */
export function numberedFrame(width: number, height: number, changes: Partial<ClientFrame> = {}): ClientFrame {
  const pixels = Buffer.alloc(width * height * 3, NUMBERS);
  return {
    frameId: '7',
    timestamp: { seconds: 1_700_000_000n, nanos: 250_000_000 },
    datetime: '2023-11-14T22:13:20.250000+00:00',
    width,
    height,
    colorFormat: 'BGR',
    insights: NO_INSIGHTS,
    pixels,
    ...changes,
  };
}

import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { customNode } from '@vantage/contracts';
import fc from 'fast-check';
import { NO_INSIGHTS, type FrameFacts, type NodeInsights } from '../types.ts';
import { encodeProcessRequest, encodeProcessResponse } from './encode.ts';
import { insightsFromWire, roiFromWire } from './insights.ts';

const GOLDEN = new URL('../../../contracts/test/custom-node-golden.json', import.meta.url);
const golden = JSON.parse(readFileSync(GOLDEN, 'utf8')) as Record<
  string,
  { readonly type: string; readonly hex: string }
>;
const vectors = (type: string): [string, Buffer][] =>
  Object.entries(golden)
    .filter(([, vector]) => vector.type === `custom_node.${type}`)
    .map(([name, vector]) => [name, Buffer.from(vector.hex, 'hex')]);

const FACTS: FrameFacts = {
  frameId: '7',
  timestamp: { seconds: 1_700_000_000n, nanos: 250_000_000 },
  datetime: '2023-11-14T22:13:20.250000+00:00',
  width: 2,
  height: 2,
  colorFormat: 'BGR',
  insights: NO_INSIGHTS,
};

/** What we always tell, whether the other side did or not. */
function filled(frame: customNode.Frame): customNode.Frame {
  return {
    ...frame,
    insightsMeta: frame.insightsMeta ?? { objectsMeta: [], eventsMeta: [], otherMeta: {} },
    timestamp: frame.timestamp ?? { seconds: 0n, nanos: 0 },
  };
}

describe('messages put together by hand', () => {
  test.each(vectors('ProcessRequest'))('%s: the bytes that ts-proto writes', (_name, bytes) => {
    const { seq, frame } = customNode.ProcessRequest.decode(bytes);
    const { image, insightsMeta, timestamp, roi, frameId, datetime } = filled(frame!);
    const { width, height } = image!.properties!;
    const facts: FrameFacts = {
      ...FACTS,
      frameId,
      datetime,
      timestamp: timestamp!,
      insights: insightsFromWire(insightsMeta!).insights,
      ...(roi === undefined ? {} : { roi: roiFromWire(roi) }),
    };
    const size = { width: Number(width), height: Number(height), colorFormat: 'BGR' } as const;
    const expected = Buffer.from(customNode.ProcessRequest.encode({ seq, frame: filled(frame!) }).finish());
    const written = encodeProcessRequest(seq, facts, size, image!.imagePointer).toBuffer();
    expect(written.toString('hex')).toBe(expected.toString('hex'));
    // The reference leaves insights out; where it fills everything in, the golden bytes come out themselves.
    if (frame!.insightsMeta !== undefined && frame!.timestamp !== undefined) expect(written).toEqual(bytes);
  });

  test('one of the vectors is complete', () => {
    const { frame } = customNode.ProcessRequest.decode(Buffer.from(golden['process_request_full']!.hex, 'hex'));
    expect(filled(frame!)).toEqual(frame);
  });

  test.each(vectors('ProcessResponse'))('%s: the golden bytes', (_name, bytes) => {
    const { ack, image, insightsMeta } = customNode.ProcessResponse.decode(bytes);
    const insights = insightsMeta === undefined ? undefined : insightsFromWire(insightsMeta).insights;
    const facts = image?.properties && {
      width: Number(image.properties.width),
      height: Number(image.properties.height),
      colorFormat: image.properties.colorFormat === 1 ? ('RGB' as const) : ('BGR' as const),
    };
    expect(encodeProcessResponse(ack, insights, facts, image?.imagePointer).toBuffer().toString('hex')).toBe(
      bytes.toString('hex'),
    );
  });

  test('lengths of every size', () => {
    const size = fc.constantFrom(0, 1, 12, 100, 110, 127, 128, 16_000, 16_383, 16_384, 2_097_151, 2_097_152);
    fc.assert(
      fc.property(size, fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }), fc.boolean(), (length, seq, asWriter) => {
        const payload = Buffer.alloc(length, 7);
        const written = encodeProcessRequest(
          seq,
          FACTS,
          { width: 5, height: 300, colorFormat: 'RGB' },
          asWriter ? { length, writeInto: (target) => void target.set(payload) } : payload,
        ).toBuffer();
        const expected = customNode.ProcessRequest.encode({
          seq,
          frame: {
            image: { imagePointer: payload, properties: { width: 5n, height: 300n, colorFormat: 1 } },
            insightsMeta: { objectsMeta: [], eventsMeta: [], otherMeta: {} },
            timestamp: FACTS.timestamp,
            roi: undefined,
            frameId: FACTS.frameId,
            datetime: FACTS.datetime,
          },
        }).finish();
        expect(Buffer.compare(written, expected)).toBe(0);
      }),
      { numRuns: 30 },
    );
  });

  test('a discarded message writes nothing any more', () => {
    const message = encodeProcessRequest(1n, FACTS, { width: 2, height: 2, colorFormat: 'BGR' }, Buffer.alloc(12, 1));
    message.discard();
    const target = Buffer.alloc(message.length);
    expect(message.copy(target)).toBe(0);
    expect(target.every((byte) => byte === 0)).toBe(true);
  });

  test('insights: what is optional is left out, and all of it comes back', () => {
    const insights: NodeInsights = {
      objects: [
        { label: 'car', confidence: 0.5 },
        {
          label: 'bus',
          confidence: 0.25,
          inferenceId: 'i-1',
          timestamp: { seconds: 5n, nanos: 250_000_000 },
          bbox: { l: 0.5, t: 0.25, w: 0.125, h: 0 },
          attributes: [
            { name: 'colour', label: 'red', confidence: 1, inferenceId: 'i-2', timestamp: { seconds: 1n, nanos: 2 } },
          ],
          tracking: { id: 't-7', speed: 1.5, direction: { x: 0.5, y: -0.5 }, timestamp: { seconds: 3n, nanos: 4 } },
        },
      ],
      events: [
        { type: 'line', id: 'e-1', timestamp: { seconds: 5n, nanos: 0 }, relatedIds: ['i-1'], properties: { a: 'b' } },
      ],
      other: { k: 'v' },
    };
    const bytes = encodeProcessResponse(1n, insights).toBuffer();
    const { insightsMeta } = customNode.ProcessResponse.decode(bytes);
    expect(insightsFromWire(insightsMeta!)).toEqual({ insights, rejected: 0 });
  });
});

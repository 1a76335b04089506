import { customNode } from '@vantage/contracts';
import { readAnswer } from './answer.ts';
import { fail, ok, skip, warn, type Check, type Context, type Finding } from './check.ts';
import { frameFor, imageOf, testPicture, upstreamObject, type FrameOptions } from './frames.ts';
import type { Reply } from './peer.ts';

const LARGE = 9_007_199_254_740_993n;

export const FRAME_CHECKS: readonly Check[] = [
  {
    id: 'frame',
    title: 'a frame is answered as the handshake promised',
    async run(context) {
      const { peer, wants } = context;
      const seq = peer.nextSequence;
      const reply = await peer.send(await frameFor(wants, testPicture(640, 360)));
      if (!reply.ok) return refused(reply, 'a 640x360 frame');
      if (reply.message.ack !== seq)
        return fail(`seq ${seq} was answered with ack ${reply.message.ack}`, 'set ack = request.seq in every answer');
      const { problems, remarks, objects, picture } = await readAnswer(reply.message, wants);
      if (problems.length > 0) return fail(problems.join('; '), 'clients leave such values out or refuse the answer');
      if (remarks.length > 0) return warn(remarks.join('; '), 'announce in the handshake what the answers hold');
      const size = picture === undefined ? '' : `, a picture of ${picture.width}x${picture.height}`;
      return ok(`ack ${seq}, ${objects} object${objects === 1 ? '' : 's'}${size}, ${reply.ms.toFixed(1)} ms`);
    },
  },
  {
    id: 'frame-64-bit',
    title: 'a frame with a 64-bit seq is acknowledged',
    async run({ peer, wants }) {
      const frame = await frameFor(wants, testPicture(64, 48));
      const reply = await peer.process(customNode.ProcessRequest.encode({ seq: LARGE, frame }).finish());
      if (!reply.ok) return refused(reply, `seq ${LARGE}`);
      return reply.message.ack === LARGE
        ? ok(`ack ${LARGE}`)
        : fail(
            `seq ${LARGE} came back as ${reply.message.ack}`,
            'keep seq and ack as 64-bit integers, not as a double',
          );
    },
  },
  {
    id: 'frame-reference-client',
    title: "the reference runtime's frames are accepted",
    async run({ peer, wants }) {
      // KAN's runtime: always with pixels, no insights, time 0, frame_id 0, a fixed datetime.
      const frame = await frameFor({ ...wants, withImage: true }, testPicture(64, 48));
      const placeholders = {
        ...frame,
        insightsMeta: undefined,
        timestamp: { seconds: 0n, nanos: 0 },
        frameId: '0',
        datetime: '2000-01-01T00:00:00',
      };
      const reply = await peer.send(placeholders);
      return reply.ok ? ok('no insights, time 0') : refused(reply, 'a frame without insights and time');
    },
  },
  {
    id: 'frame-sizes',
    title: 'frames of any size, one after the other',
    async run({ peer, wants }) {
      const sizes: readonly [number, number][] = [
        [333, 187],
        [1, 1],
        [1280, 720],
        [720, 1280],
      ];
      for (const [width, height] of sizes) {
        const reply = await peer.send(await frameFor(wants, testPicture(width, height)));
        if (!reply.ok) {
          if (reply.code === 'RESOURCE_EXHAUSTED') continue;
          const advice = 'take width and height from image.properties of each frame';
          return reply.code === 'UNKNOWN' && width === 1
            ? warn(`${width}x${height}: ${reply.details}`, advice)
            : fail(`${width}x${height}: ${reply.code} ${reply.details}`, advice);
        }
        const { problems } = await readAnswer(reply.message, wants);
        if (problems.length > 0)
          return fail(
            `${width}x${height}: ${problems.join('; ')}`,
            'take width and height from image.properties of each frame',
          );
      }
      return ok(sizes.map((size) => size.join('x')).join(', '));
    },
  },
  {
    id: 'upstream-insights',
    title: 'what nodes upstream found is accepted',
    run: (context) =>
      sendOne(context, 'objects, attributes, tracks, an event and a region', {
        frameId: 1,
        insights: {
          objectsMeta: [upstreamObject('person', 1), upstreamObject('car', 2)],
          eventsMeta: [
            customNode.EventMeta.fromPartial({
              type: 'dwell',
              eventId: 'e1',
              relatedIds: ['upstream-1'],
              properties: { zone: 'gate' },
            }),
          ],
          otherMeta: { weather: 'rain' },
        },
        roi: { name: 'gate', type: customNode.RoiType.POLYGON, id: 'roi-1', value: '[[0,0],[1,0],[1,1]]' },
      }),
  },
  {
    id: 'upstream-many',
    title: 'a thousand objects from upstream',
    hostile: true,
    run: (context) =>
      sendOne(context, '1000 objects', {
        insights: { objectsMeta: Array.from({ length: 1000 }, (_, at) => upstreamObject('person', at)) },
      }),
  },
  {
    id: 'upstream-labels',
    title: 'labels with any characters',
    hostile: true,
    run: (context) =>
      sendOne(context, 'quotes, markup, newlines, other scripts and 10,000 characters', {
        insights: {
          objectsMeta: [
            `"'; DROP TABLE labels; --`,
            '<script>alert(1)</script>',
            '__import__("os").system("true")',
            'a\nb\u0000c',
            '人 🚗 \u202e',
            'x'.repeat(10_000),
          ].map((label, at) => upstreamObject(label, at)),
        },
      }),
  },
  {
    id: 'no-pixels',
    title: 'a frame without pixels is answered or refused',
    hostile: true,
    async run({ peer, wants }) {
      if (!wants.withImage) return skip('the node wants no pixels anyway');
      const reply = await peer.send({
        ...(await frameFor(wants, testPicture(64, 48))),
        image: imageOf(new Uint8Array(0), 64, 48),
      });
      return outcomeOfBadFrame(reply, 'an empty image_pointer');
    },
  },
];

async function sendOne({ peer, wants }: Context, what: string, options: FrameOptions): Promise<Finding> {
  const reply = await peer.send(await frameFor(wants, testPicture(320, 240), options));
  if (!reply.ok) return refused(reply, what);
  const { problems } = await readAnswer(reply.message, wants);
  return problems.length > 0 ? fail(problems.join('; '), 'check what is made of the insights') : ok(what);
}

/** A frame that a good node takes was refused. */
export function refused(reply: Reply<unknown> & { readonly ok: false }, what: string): Finding {
  const advice =
    reply.code === 'DEADLINE_EXCEEDED'
      ? 'answer faster, or give the node a longer deadline'
      : reply.code === 'UNAVAILABLE'
        ? 'the node ended or closed the connection: look at its log'
        : 'look at the log of the node for the line that raised it';
  return fail(`${what}: ${reply.code} ${reply.details}`, advice);
}

/** A frame that is wrong may be answered or refused; it must not hang or end the node. */
export function outcomeOfBadFrame(reply: Reply<unknown>, what: string): Finding {
  if (reply.ok) return ok(`${what}: answered`);
  if (reply.code === 'DEADLINE_EXCEEDED')
    return fail(`${what}: no answer`, 'refuse what cannot be processed, with an error');
  if (reply.code === 'UNAVAILABLE')
    return fail(
      `${what}: the connection was lost (${reply.details})`,
      'catch errors of one frame; the process must stay',
    );
  return ok(`${what}: ${reply.code} ${shortened(reply.details)}`);
}

const shortened = (text: string): string => (text.length > 120 ? `${text.slice(0, 120)}...` : text);

import { customNode } from '@vantage/contracts';
import { fail, ok, skip, warn, type Check } from './check.ts';
import { outcomeOfBadFrame } from './frame-checks.ts';
import { frameFor, imageOf, testPicture } from './frames.ts';

export const ROBUSTNESS_CHECKS: readonly Check[] = [
  {
    id: 'wrong-length',
    title: 'a picture that is too short is refused',
    hostile: true,
    async run({ peer, wants }) {
      if (!wants.withImage) return skip('the node wants no pixels');
      const frame = { ...(await frameFor(wants, testPicture(64, 48))), image: imageOf(new Uint8Array(100), 64, 48) };
      const reply = await peer.send(frame);
      if (!reply.ok || wants.response === 'empty') return outcomeOfBadFrame(reply, '100 bytes for 64x48');
      return warn(
        '100 bytes that are no picture of 64x48 were answered as if they were',
        wants.encoding === 'numpy'
          ? 'compare len(image_pointer) with height * width * 3 before looking at pixels'
          : `answer with an error where the ${wants.encoding} file cannot be decoded`,
      );
    },
  },
  {
    id: 'absurd-size',
    title: 'absurd sizes are refused',
    hostile: true,
    async run({ peer, wants }) {
      for (const [width, height] of [
        [-1, -1],
        [0, 0],
        [2 ** 40, 2 ** 40],
      ] as const) {
        const frame = {
          ...(await frameFor(wants, testPicture(8, 8))),
          image: imageOf(new Uint8Array(12), width, height),
        };
        const finding = outcomeOfBadFrame(await peer.send(frame), `${width}x${height}`);
        if (finding.outcome !== 'ok') return finding;
      }
      return ok('-1x-1, 0x0 and 2^40x2^40 did no harm');
    },
  },
  {
    id: 'empty-request',
    title: 'an empty request is answered or refused',
    hostile: true,
    run: async ({ peer }) => outcomeOfBadFrame(await peer.process(new Uint8Array(0)), 'no frame, no seq'),
  },
  {
    id: 'garbage',
    title: 'bytes that are no message are refused',
    hostile: true,
    async run({ peer }) {
      const reply = await peer.process(Uint8Array.from([0xff, 0xff, 0xff, 0xff, 0x07, 0x00]));
      return reply.ok
        ? warn('answered as if they were a frame', 'let the gRPC library decode requests')
        : outcomeOfBadFrame(reply, 'refused');
    },
  },
  {
    id: 'unknown-field',
    title: 'fields of a later version are ignored',
    async run({ peer, wants }) {
      const frame = await frameFor(wants, testPicture(64, 48));
      const known = customNode.ProcessRequest.encode({ seq: peer.nextSequence, frame }).finish();
      // Field 15, three bytes long.
      const reply = await peer.process(Buffer.concat([known, Uint8Array.from([0x7a, 0x03, 1, 2, 3])]));
      return reply.ok
        ? ok('ignored')
        : fail(`${reply.code} ${reply.details}`, 'proto3 ignores unknown fields; so must a node');
    },
  },
  {
    id: 'unknown-method',
    title: 'an unknown method is refused',
    async run({ peer }) {
      const reply = await peer.call('/custom_node.CustomNodeHandler/Nothing', new Uint8Array(0), (bytes) => bytes);
      if (reply.ok)
        return warn('a method that does not exist was answered', 'serve the two methods of the contract only');
      return reply.code === 'UNIMPLEMENTED' ? ok('UNIMPLEMENTED') : outcomeOfBadFrame(reply, 'refused');
    },
  },
  {
    id: 'deadline',
    title: 'a call that the client gave up does no harm',
    hostile: true,
    async run({ peer, wants }) {
      const frame = await frameFor(wants, testPicture(1280, 720));
      const reply = await peer.send(frame, 1);
      return ok(reply.ok ? 'answered within 1 ms' : `${reply.code} after ${reply.ms.toFixed(0)} ms`);
    },
  },
];

import { fail, ok, warn, type Check } from './check.ts';
import { ENCODINGS } from './wants.ts';

/** Does not fit a double: what breaks here goes through one somewhere. */
const LARGE = 9_007_199_254_740_993n;
const SAME_AS_FIRST = 'answer every handshake alike: clients reconnect, and several may use one node';

export const HANDSHAKE_CHECKS: readonly Check[] = [
  {
    id: 'handshake-64-bit',
    title: 'the handshake echoes a 64-bit seq',
    async run({ open }) {
      const reply = await open().handshake({ seq: LARGE });
      if (!reply.ok) return fail(`seq ${LARGE}: ${reply.code} ${reply.details}`, 'accept any int64 as seq');
      return reply.message.ack === LARGE
        ? ok(`ack ${LARGE}`)
        : fail(
            `seq ${LARGE} came back as ${reply.message.ack}`,
            'keep seq and ack as 64-bit integers, not as a double',
          );
    },
  },
  {
    id: 'handshake-no-ids',
    title: 'the handshake works without ids',
    async run({ open, wants }) {
      const reply = await open().handshake({ instanceId: '', skillId: '', deviceId: '' });
      if (!reply.ok)
        return fail(
          `${reply.code} ${reply.details}`,
          'the reference runtime sends empty ids: use them for logs, not for decisions',
        );
      const same = reply.message.imageType === ENCODINGS.indexOf(wants.encoding);
      return same ? ok('same answer') : warn('the answer differs from the first handshake', SAME_AS_FIRST);
    },
  },
  {
    id: 'handshake-again',
    title: 'a second handshake on a connection is answered like the first',
    async run({ open }) {
      const peer = open();
      const first = await peer.handshake();
      const second = await peer.handshake({ seq: 7n });
      if (!first.ok || !second.ok) {
        const bad = first.ok ? second : first;
        return fail(bad.ok ? '' : `${bad.code} ${bad.details}`, SAME_AS_FIRST);
      }
      if (second.message.ack !== 7n) return fail(`seq 7 came back as ${second.message.ack}`, 'set ack = seq');
      return JSON.stringify({ ...first.message, ack: 0 }) === JSON.stringify({ ...second.message, ack: 0 })
        ? ok('same answer')
        : warn('the two answers differ', SAME_AS_FIRST);
    },
  },
];

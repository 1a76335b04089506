import { mkdtempSync, readdirSync, rmSync, symlinkSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { SharedFile } from '@vantage/shared-memory';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { ClientRing, MIN_SHARED_BYTES } from './client-ring.ts';
import type { ServerSlot } from './server-rings.ts';
import { RingGone, ServerRings } from './server-rings.ts';
import { removeStale } from './stale.ts';
import { FILE_PREFIX } from './words.ts';

const BYTES = MIN_SHARED_BYTES;
const GEOMETRY = { slots: 3, requestBytes: BYTES + 100, responseBytes: BYTES };

let folder: string;
let server: ServerRings;
let clients: ClientRing[];

beforeEach(() => {
  folder = mkdtempSync('/dev/shm/vantage-test-');
  server = new ServerRings(folder);
  clients = [];
});

afterEach(() => {
  for (const client of clients) client.close();
  server.close();
  rmSync(folder, { recursive: true });
});

function offered(geometry = GEOMETRY): ClientRing {
  const client = ClientRing.create(geometry, folder);
  clients.push(client);
  return client;
}

function connected(geometry = GEOMETRY): ClientRing {
  const client = offered(geometry);
  expect(client.accept(server.accept(client.offer))).toBe(true);
  return client;
}

describe('agreement', () => {
  test('both ends prove that they see the same file, and then it has no name', () => {
    const client = connected();
    expect([client.isUsable, server.size, readdirSync(folder)]).toEqual([true, 1, []]);
  });

  test('a server that does not know of it, or sees other memory', () => {
    const elsewhere = new ServerRings(os.tmpdir());
    const silent = offered();
    expect(elsewhere.accept(silent.offer)).toBeUndefined();
    expect([silent.accept(undefined), silent.isUsable, silent.take(BYTES)]).toEqual([false, false, undefined]);
    expect(silent.problem).toBe('the server does not share memory');

    const wrong = offered();
    const answer = server.accept(wrong.offer)!;
    expect(wrong.accept(answer.replace(/.$/, (last) => (last === '0' ? '1' : '0')))).toBe(false);
    expect(wrong.problem).toBe('the server sees another file');

    const swapped = offered();
    const other = offered();
    expect(swapped.accept(server.accept(other.offer))).toBe(false);
    expect(readdirSync(folder).length).toBe(1);
  });

  test.each([
    ['', 'nothing'],
    ['2 vantage-node-00000000-0000-0000-0000-000000000000 1 1 1', 'another version'],
    ['1 ../../etc/passwd 1 1 1', 'a path'],
    ['1 vantage-node-00000000-0000-0000-0000-000000000000 33 1 1', 'too many slots'],
    ['1 vantage-node-00000000-0000-0000-0000-000000000000 1 268435457 1', 'too large'],
    ['1 vantage-node-00000000-0000-0000-0000-000000000000 1 1 1', 'no such file'],
  ])('offer %j: %s', (offer) => {
    expect(server.accept(offer)).toBeUndefined();
  });

  test('a file that is not the ring that was announced is not touched', () => {
    const name = `${FILE_PREFIX}00000000-0000-0000-0000-000000000000`;
    const file = path.join(folder, name);
    writeFileSync(file, 'x'.repeat(20_000));
    expect(server.accept(`1 ${name} 1 4096 4096`)).toBeUndefined();
    truncateSync(file, 3 * 4096);
    expect(server.accept(`1 ${name} 1 4096 4096`)).toBeUndefined();
    rmSync(file);

    const client = offered();
    expect(server.accept(client.offer.replace(/ 3 /, ' 2 '))).toBeUndefined();
    symlinkSync(path.join(folder, client.offer.split(' ')[1]!), file);
    expect(server.accept(client.offer.replace(/vantage-node-\S+/, name))).toBeUndefined();
    expect(server.size).toBe(0);
  });

  test('a file is offered once, and a server has so many clients', () => {
    const client = offered();
    expect(server.accept(client.offer)).toBeDefined();
    expect(server.accept(client.offer)).toBeUndefined();
    for (let i = 1; i < 64; i += 1) connected({ ...GEOMETRY, slots: 1 });
    expect(server.accept(offered().offer)).toBeUndefined();
  });

  test('geometries that make no sense are refused before there is a file', () => {
    expect(() => offered({ ...GEOMETRY, slots: 0 })).toThrow('0 slots');
    expect(() => offered({ ...GEOMETRY, requestBytes: 2 ** 40 })).toThrow('bytes are not');
    expect(() => ClientRing.create(GEOMETRY, '/nowhere')).toThrow('ENOENT');
    expect(() => ClientRing.create(GEOMETRY, 'off')).toThrow('switched off');
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe('a call', () => {
  test('there and back: in place, from elsewhere, without a picture', () => {
    const client = connected();
    const slot = client.take(BYTES)!;
    slot.pixels.fill(5);
    const served = server.open(slot.handle);
    expect(served.pixels.equals(Buffer.alloc(BYTES, 5))).toBe(true);
    served.pixels.fill(6, 0, 10);
    expect(served.put(served.pixels.subarray(0, 10))).toBe(true);
    const inPlace = slot.answer(served.done())!;
    expect([inPlace.length, inPlace[9], inPlace.byteOffset]).toEqual([10, 6, slot.pixels.byteOffset]);
    slot.release();

    const second = client.take(BYTES)!;
    const answer = server.open(second.handle);
    expect(answer.put(Buffer.alloc(BYTES, 9))).toBe(true);
    expect(second.answer(answer.done())!.equals(Buffer.alloc(BYTES, 9))).toBe(true);
    second.release();

    const third = client.take(BYTES)!;
    const none = server.open(third.handle);
    expect(none.put(Buffer.alloc(BYTES + 1))).toBe(false);
    expect(third.answer(none.done())).toBeUndefined();
  });

  test('small and too large pictures go in the message', () => {
    const client = connected();
    expect([client.take(BYTES - 1), client.take(BYTES + 101), client.isUsable]).toEqual([undefined, undefined, true]);
    expect(client.take(BYTES + 100)).toBeDefined();
  });

  test('as many as there are slots; a slot in doubt rests until the server is done with it', () => {
    const client = connected();
    const slots = [client.take(BYTES)!, client.take(BYTES)!, client.take(BYTES)!];
    expect(client.take(BYTES)).toBeUndefined();
    const hung = server.open(slots[1]!.handle);
    slots[0]!.release();
    slots[0]!.abandon();
    slots[1]!.abandon();
    const again = client.take(BYTES)!;
    expect(again.handle.split(' ')[1]).toBe('0');
    expect(client.take(BYTES)).toBeUndefined();
    hung.put(Buffer.alloc(BYTES, 1));
    hung.done();
    hung.done();
    expect(client.take(BYTES)!.handle.split(' ')[1]).toBe('1');
  });

  test('a call that the server has not begun with is withdrawn, and its slot free at once', () => {
    const client = connected();
    const late = client.take(BYTES)!;
    late.abandon();
    expect(() => server.open(late.handle)).toThrow('carries call 0, not 1');
    const next = client.take(BYTES)!;
    expect(next.handle.split(' ')[1]).toBe('0');
    expect(() => server.open(late.handle)).toThrow('carries call 2, not 1');
    server.open(next.handle).done();
    next.release();
  });

  test('a handle that is old, forged or used twice', () => {
    const client = connected();
    const slot = client.take(BYTES)!;
    const forged = (at: number, word: string) => slot.handle.split(' ').with(at, word).join(' ');
    expect(() => server.open('nonsense')).toThrow('not a handle');
    expect(() => server.open(forged(0, `${FILE_PREFIX}00000000-0000-0000-0000-000000000000`))).toThrow(RingGone);
    expect(() => server.open(forged(1, '3'))).toThrow('slot 3');
    expect(() => server.open(forged(1, '32'))).toThrow('not a handle');
    expect(() => server.open(forged(2, '99'))).toThrow('carries call 1, not 99');
    expect(() => server.open(forged(3, String(BYTES + 101)))).toThrow('is not in the shared memory');
    const served = server.open(slot.handle);
    expect(() => server.open(slot.handle)).toThrow('carries another call');
    served.done();
    expect(() => slot.answer('gone')).toThrow('none of call 1');
    expect(() => slot.answer('2 0 1')).toThrow('none of call 1');
    expect(() => slot.answer(`1 0 ${BYTES * 3}`)).toThrow('outside the slot');
  });

  test('the file is cut: an error, not a signal, and the other client goes on', () => {
    const cut = offered();
    const other = connected();
    const name = path.join(folder, cut.offer.split(' ')[1]!);
    const answer = server.accept(cut.offer);
    truncateSync(name, 4096);
    expect(cut.accept(answer)).toBe(true);
    expect(cut.take(BYTES)).toBeUndefined();
    expect([cut.isUsable, cut.problem]).toEqual([false, 'the shared file was cut']);
    const slot = other.take(BYTES)!;
    expect(server.open(slot.handle).pixels.length).toBe(BYTES);
  });

  test('no slot is ever in use twice, whatever the order of calls, answers and losses', () => {
    const step = fc.oneof(
      fc.constant('take' as const),
      fc.record({ kind: fc.constantFrom('answer' as const, 'lose' as const, 'finish' as const), which: fc.nat(9) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const client = connected();
        const calls: { slot: NonNullable<ReturnType<ClientRing['take']>>; served: ServerSlot; mark: number }[] = [];
        const lost: { served: ServerSlot; mark: number }[] = [];
        let mark = 0;
        for (const one of steps) {
          if (one === 'take') {
            const slot = client.take(BYTES);
            expect(slot === undefined).toBe(calls.length + lost.length >= GEOMETRY.slots);
            if (slot === undefined) continue;
            mark = (mark % 250) + 1;
            slot.pixels.fill(mark);
            calls.push({ slot, served: server.open(slot.handle), mark });
            continue;
          }
          const from = one.kind === 'finish' ? lost : calls;
          const [call] = from.length > 0 ? from.splice(one.which % from.length, 1) : [];
          if (call === undefined) continue;
          // Nobody has written over it meanwhile.
          expect([call.served.pixels[0], call.served.pixels[BYTES - 1]]).toEqual([call.mark, call.mark]);
          if (one.kind === 'lose') {
            (call as (typeof calls)[0]).slot.abandon();
            lost.push(call);
            continue;
          }
          call.served.put(call.served.pixels);
          const handle = call.served.done();
          if (one.kind === 'finish') continue;
          const { slot } = call as (typeof calls)[0];
          expect(slot.answer(handle)![BYTES - 1]).toBe(call.mark);
          slot.release();
        }
        for (const { served } of [...calls, ...lost]) served.done();
        client.close();
        for (const { slot } of calls) slot.abandon();
        server.sweep();
        expect(server.size).toBe(0);
      }),
      { numRuns: 100 },
    );
  });
});

describe('an end is gone', () => {
  test('a client that closes is swept up when its calls are over', () => {
    const [first] = [connected(), connected()];
    const slot = first.take(BYTES)!;
    const served = server.open(slot.handle);
    first.close();
    server.sweep();
    expect([slot.pixels.length, first.take(BYTES)]).toEqual([BYTES, undefined]);
    slot.abandon();
    server.sweep();
    expect([slot.pixels.length, server.size, served.pixels.length]).toEqual([0, 2, BYTES]);
    served.done();
    server.sweep();
    expect(server.size).toBe(1);
  });

  test('a server that closes: what was kept is empty, and its name of the memory is unknown', () => {
    const client = connected();
    const slot = client.take(BYTES)!;
    const served = server.open(slot.handle);
    server.close();
    expect([served.pixels.length, served.put(Buffer.alloc(10)), served.done()]).toEqual([0, false, '1 0 0']);
    expect(() => server.open(slot.handle)).toThrow(RingGone);
    expect(slot.pixels.length).toBe(BYTES);
  });

  test('files of processes that ended while they shook hands are removed; living and foreign ones are not', () => {
    const old = new Date(Date.now() - 120_000);
    const left = SharedFile.create({ prefix: FILE_PREFIX, folders: [folder], named: true });
    const foreign = path.join(folder, 'vantage-node-mine');
    const link = path.join(folder, `${FILE_PREFIX}00000000-0000-0000-0000-000000000000`);
    writeFileSync(foreign, '');
    symlinkSync(foreign, link);
    const living = path.join(folder, offered().offer.split(' ')[1]!);
    for (const file of [left.path!, foreign, living]) utimesSync(file, old, old);
    expect(removeStale(folder, Date.now() - 90_000)).toBe(0);
    expect(removeStale(folder)).toBe(1);
    const names = [foreign, link, living].map((file) => path.basename(file));
    expect(readdirSync(folder).sort()).toEqual(names.sort());
    expect(removeStale('/nowhere')).toBe(0);
    left.close();
  });
});

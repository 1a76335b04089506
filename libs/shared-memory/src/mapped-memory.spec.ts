import { MessageChannel } from 'node:worker_threads';
import { describe, expect, test } from '@jest/globals';
import { MappedMemory } from './mapped-memory.ts';
import { SharedFile } from './shared-file.ts';

const PAGE = 4096;

function opened(): { file: SharedFile; memory: MappedMemory } {
  const file = SharedFile.create({ prefix: 'vantage-test-' });
  file.resize(4 * PAGE);
  return { file, memory: MappedMemory.map(file, 4 * PAGE) };
}

describe('MappedMemory', () => {
  test('two mappings of one file are the same memory', () => {
    const { file, memory } = opened();
    const other = MappedMemory.map(file, 4 * PAGE);
    memory.allocate(PAGE, PAGE);
    Buffer.from(memory.buffer).write('hello', PAGE);
    expect(Buffer.from(other.buffer, PAGE, 5).toString()).toBe('hello');
    const bytes = Buffer.alloc(5);
    file.read(PAGE, bytes);
    expect(bytes.toString()).toBe('hello');
    for (const one of [memory, other, file]) one.close();
  });

  test('what was kept of it is empty once it is closed, instead of pointing nowhere', () => {
    const { file, memory } = opened();
    const kept = Buffer.from(memory.buffer, 0, 10);
    memory.close();
    memory.close();
    expect([kept.length, memory.buffer.byteLength]).toEqual([0, 0]);
    file.close();
  });

  test('stays in its thread', () => {
    const { file, memory } = opened();
    const { port1, port2 } = new MessageChannel();
    expect(() => port1.postMessage(memory.buffer, [memory.buffer])).toThrow();
    expect(memory.buffer.byteLength).toBe(4 * PAGE);
    port1.close();
    port2.close();
    memory.close();
    file.close();
  });

  test('refuses a file that is too short', () => {
    const { file, memory } = opened();
    file.resize(PAGE);
    expect(() => MappedMemory.map(file, 2 * PAGE)).toThrow('the file has 4096 bytes, not 8192');
    memory.close();
    file.close();
  });

  test('memory that is not there is an error, not a signal', () => {
    const { file, memory } = opened();
    expect(() => memory.allocate(0, 2 ** 46)).toThrow(/no shared memory for \d+ MiB; a container has 64 MiB|error \d+/);
    memory.close();
    file.close();
  });
});

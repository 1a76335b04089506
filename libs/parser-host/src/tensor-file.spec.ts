import { fstatSync, readFileSync, readdirSync } from 'node:fs';
import os from 'node:os';
import { describe, expect, test } from '@jest/globals';
import { TensorFile } from './tensor-file.ts';

describe('TensorFile', () => {
  test('one after the other, aligned, and it never shrinks', () => {
    const file = TensorFile.open();
    try {
      const small = { name: 'a', dims: [1, 3], data: Int8Array.of(1, 2, 3) };
      const request = file.write(7, [small, { name: 'b', dims: [2], data: Float32Array.of(0.5, -1) }]);
      expect(request).toEqual({
        id: 7,
        bytes: 128,
        tensors: [
          { name: 'a', type: 'int8', dims: [3], offset: 0 },
          { name: 'b', type: 'float32', dims: [2], offset: 64 },
        ],
      });
      const bytes = readFileSync(`/proc/self/fd/${file.fd}`);
      expect([...bytes.subarray(0, 3)]).toEqual([1, 2, 3]);
      expect([bytes.readFloatLE(64), bytes.readFloatLE(68)]).toEqual([0.5, -1]);
      expect(file.write(8, [small]).bytes).toBe(64);
      expect(fstatSync(file.fd).size).toBe(128);
    } finally {
      file.close();
    }
  });

  test('has no name, also where there is no /dev/shm', () => {
    const file = TensorFile.open(['/nowhere', os.tmpdir()]);
    expect(readdirSync(os.tmpdir()).filter((name) => /^vantage-parser-[0-9a-f-]{36}$/.test(name))).toEqual([]);
    file.close();
    expect(() => TensorFile.open(['/nowhere'])).toThrow('ENOENT');
  });

  test('refuses fewer numbers than the shape says', () => {
    const file = TensorFile.open();
    expect(() => file.write(1, [{ name: 'a', dims: [4], data: Int32Array.of(1) }])).toThrow(
      'output a [4] holds 1 numbers instead of 4',
    );
    expect(() => file.write(1, [{ name: 'a', dims: [2], data: Float32Array.of(1) }])).toThrow('a');
    file.close();
  });
});

import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, symlinkSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { SharedFile } from './shared-file.ts';

const folder = mkdtempSync(path.join(os.tmpdir(), 'vantage-shared-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('SharedFile', () => {
  test('has no name, and its content is seen through its number', () => {
    const file = SharedFile.create({ prefix: 'a-', folders: [folder] });
    expect(readdirSync(folder)).toEqual([]);
    expect(file.path).toBeUndefined();
    file.write(Uint16Array.of(1, 2), 3);
    expect([...readFileSync(`/proc/self/fd/${file.fd}`)]).toEqual([0, 0, 0, 1, 0, 2, 0]);
    const into = new Uint16Array(2);
    file.read(3, into);
    expect([...into]).toEqual([1, 2]);
    expect(() => file.read(6, into)).toThrow('the shared memory ends 3 bytes too early');
    file.close();
    file.close();
  });

  test('takes the next folder where one is missing', () => {
    SharedFile.create({ prefix: 'a-', folders: ['/nowhere', folder] }).close();
    expect(() => SharedFile.create({ prefix: 'a-', folders: ['/nowhere'] })).toThrow('ENOENT');
    expect(() => SharedFile.create({ prefix: 'a-', folders: [] })).toThrow('no folder');
  });

  test('with a name another opens it, until the name is taken away', () => {
    const file = SharedFile.create({ prefix: 'b-', folders: [folder], named: true, mode: 0o660 });
    const name = file.path!;
    expect(path.basename(name)).toMatch(/^b-[0-9a-f-]{36}$/);
    expect(statSync(name).mode & 0o777).toBe(0o660);
    const other = SharedFile.open(name);
    file.write(Uint8Array.of(7), 0);
    const into = new Uint8Array(1);
    other.read(0, into);
    expect(into[0]).toBe(7);
    file.unlink();
    expect(existsSync(name)).toBe(false);
    other.write(Uint8Array.of(8), 0);
    file.read(0, into);
    expect(into[0]).toBe(8);
    file.close();
    other.close();
  });

  test('close takes the name with it, also when somebody else already has', () => {
    const file = SharedFile.create({ prefix: 'c-', folders: [folder], named: true });
    rmSync(file.path!);
    file.close();
    SharedFile.create({ prefix: 'c-', folders: [folder], named: true }).close();
    expect(readdirSync(folder)).toEqual([]);
  });

  test('the lock is held until close', () => {
    const file = SharedFile.create({ prefix: 'e-', folders: [folder], named: true });
    const [first, second] = [SharedFile.open(file.path!), SharedFile.open(file.path!)];
    expect([first.tryLock(), second.tryLock(), first.tryLock()]).toEqual([true, false, true]);
    first.close();
    expect(second.tryLock()).toBe(true);
    second.close();
    file.close();
  });

  test('never goes through a symbolic link, and opens plain files only', () => {
    const file = SharedFile.create({ prefix: 'd-', folders: [folder], named: true });
    const link = path.join(folder, 'link');
    symlinkSync(file.path!, link);
    expect(() => SharedFile.open(link)).toThrow('ELOOP');
    expect(() => SharedFile.open('/dev/null')).toThrow('/dev/null is no plain file');
    expect(() => SharedFile.open(folder)).toThrow('EISDIR');
    file.close();
  });
});

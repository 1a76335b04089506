import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { expect, test } from '@jest/globals';
import { Journal } from './journal.ts';
import { judge } from './verdict.ts';

test('the verdict of a soak finds what is lost, out of order and twice, and no more', () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'vantage-verdict-'));
  try {
    const sender = new Journal(folder, 'a');
    for (const key of ['a:1:1', 'a:1:2', 'a:1:3', 'a:2:1']) {
      sender.sent(key);
      if (key !== 'a:1:3') sender.acked(key);
    }
    const receiver = new Journal(folder, 'b');
    for (const key of ['a:1:1', 'a:2:1', 'a:1:3', 'a:1:1', 'c:9:9']) receiver.got('b/in', key);
    sender.close();
    receiver.close();
    expect(judge(folder, [{ sender: 'a', endpoint: 'b/in', receiver: 'b' }])).toEqual({
      sent: 4,
      acked: 3,
      delivered: 3,
      duplicates: 1,
      lost: ['b/in a:1:2'],
      outOfOrder: ['b/in a:1:3 after a:2:1'],
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

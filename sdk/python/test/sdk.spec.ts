import { execFile, spawnSync } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from '@jest/globals';

const python = [process.env['VANTAGE_PYTHON'] ?? '/usr/bin/python3', 'python3'].find(
  (command) => spawnSync(command, ['-c', 'import grpc, google.protobuf, numpy']).status === 0,
);
const REASON =
  'no Python with grpcio, protobuf and numpy (apt-get install python3-grpcio python3-protobuf python3-numpy)';

describe('the Python SDK', () => {
  if (!python) {
    process.stderr.write(`Python SDK: skipped, ${REASON}\n`);
    test.skip(`its own tests: ${REASON}`, () => undefined);
    return;
  }

  test('passes its own tests', async () => {
    const file = path.join(import.meta.dirname, 'test_sdk.py');
    const environment = { ...process.env, PYTHONDONTWRITEBYTECODE: '1' };
    const report = await promisify(execFile)(python, [file], { env: environment, timeout: 60_000 }).then(
      ({ stderr }) => stderr,
      (error: { stderr?: string; message: string }) => error.stderr || error.message,
    );
    expect(report).toMatch(/\nRan \d\d tests in .*\n\nOK( \(skipped=\d+\))?\n$/);
  }, 60_000);
});

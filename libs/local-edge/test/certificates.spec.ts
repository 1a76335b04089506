import { X509Certificate, createPrivateKey } from 'node:crypto';
import { readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import { loadCertificates, type Certificates } from '../src/state/certificates.ts';
import { cleanUp, temporaryFolder } from './harness.ts';

afterEach(cleanUp);

function expectUsable({ ca, cert, key }: Certificates): void {
  const server = new X509Certificate(cert);
  expect(server.checkPrivateKey(createPrivateKey(key))).toBe(true);
  expect(server.verify(new X509Certificate(ca).publicKey)).toBe(true);
}

describe('certificates', () => {
  test('are the same at the next start, and the server certificate alone is made anew for another name', async () => {
    const folder = await temporaryFolder();
    const first = await loadCertificates(folder);
    expectUsable(first);
    expect(await loadCertificates(folder)).toEqual(first);
    const named = await loadCertificates(folder, ['gateway.lan']);
    expectUsable(named);
    expect(named.ca).toBe(first.ca);
    expect(new X509Certificate(named.cert).subjectAltName).toContain('DNS:gateway.lan');
  });

  describe.each([
    ['ca.pem', false],
    ['ca.key.pem', false],
    ['server.pem', true],
    ['server.key.pem', true],
  ])('when %s', (file, keepsCa) => {
    test.each(['is half written', 'is empty', 'is of another start'])('%s, go together again', async (damage) => {
      const folder = await temporaryFolder();
      const before = await loadCertificates(folder);
      const path = join(folder, 'certs', file);
      if (damage === 'is of another start') {
        const other = await temporaryFolder();
        await loadCertificates(other);
        await writeFile(path, await readFile(join(other, 'certs', file)));
      } else {
        await truncate(path, damage === 'is empty' ? 0 : Math.floor((await readFile(path)).length / 2));
      }
      const after = await loadCertificates(folder);
      expectUsable(after);
      expect(after.ca === before.ca).toBe(keepsCa);
      expect(await loadCertificates(folder)).toEqual(after);
    });
  });
});

import 'reflect-metadata';
import { X509Certificate, createPrivateKey, webcrypto } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { hostname } from 'node:os';
import { join } from 'node:path';
import * as x509 from '@peculiar/x509';
import { codeOf } from '@vantage/contracts';
import { writeFileAtomic } from './files.ts';

/** The PEM texts a TLS server of this runtime needs. The private key never leaves the state folder. */
export interface Certificates {
  readonly ca: string;
  /** Of the server alone: clients have the CA, or refuse. */
  readonly cert: string;
  readonly key: string;
}

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const DAY_MS = 86_400_000;
const CA_DAYS = 3650;
/** Clients of Apple's and others' TLS stacks refuse server certificates that live longer than 825 days. */
const SERVER_DAYS = 820;
const RENEW_BEFORE_DAYS = 30;

/**
 * The runtime's CA and server certificate, made at the first start and kept under `<stateDir>/certs`. The server
 * certificate is made anew by the same CA when it nears its end or lacks one of the `extraNames` (DNS names or IP
 * addresses).
 */
export async function loadCertificates(stateDir: string, extraNames: readonly string[] = []): Promise<Certificates> {
  const folder = join(stateDir, 'certs');
  const names = [...new Set(['localhost', hostname(), '127.0.0.1', '::1', ...extraNames].filter(isServerName))];
  const stored = await readAll(folder);
  const ca = usableCa(stored) ?? (await makeCa());
  const usable = usableServer(stored, ca, names);
  const server = usable ?? (await makeServer(ca, names));
  if (usable === undefined) {
    await writeFileAtomic(join(folder, 'ca.key.pem'), ca.key);
    await writeFileAtomic(join(folder, 'ca.pem'), ca.cert, 0o644);
    await writeFileAtomic(join(folder, 'server.key.pem'), server.key);
    await writeFileAtomic(join(folder, 'server.pem'), server.cert, 0o644);
  }
  return { ca: ca.cert, cert: server.cert, key: server.key };
}

/** Whether a certificate can carry the name: a DNS name or an IP address. */
export function isServerName(name: string): boolean {
  return isIP(name) !== 0 || (name.length <= 253 && /^[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?$/i.test(name));
}

interface Pair {
  readonly cert: string;
  readonly key: string;
}

type Stored = Partial<Record<'ca' | 'caKey' | 'cert' | 'key', string>>;

async function readAll(folder: string): Promise<Stored> {
  const read = async (name: string): Promise<string | undefined> => {
    try {
      return await readFile(join(folder, name), 'utf8');
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return undefined;
      throw error;
    }
  };
  const [ca, caKey, cert, key] = await Promise.all(['ca.pem', 'ca.key.pem', 'server.pem', 'server.key.pem'].map(read));
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(caKey === undefined ? {} : { caKey }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  };
}

function usableCa(stored: Stored): Pair | undefined {
  if (stored.ca === undefined || stored.caKey === undefined) return undefined;
  const ca = { cert: stored.ca, key: stored.caKey };
  return lives(ca.cert) !== undefined && belongTogether(ca) ? ca : undefined;
}

function usableServer(stored: Stored, ca: Pair, names: readonly string[]): Pair | undefined {
  if (stored.ca !== ca.cert || stored.cert === undefined || stored.key === undefined) return undefined;
  const server = { cert: stored.cert, key: stored.key };
  return covers(server.cert, names) && belongTogether(server, ca) ? server : undefined;
}

/** A crash between the writing of two files, or a file that was cut short, leaves what a TLS server does not start with. */
function belongTogether({ cert, key }: Pair, issuer?: Pair): boolean {
  try {
    const certificate = new X509Certificate(cert);
    if (!certificate.checkPrivateKey(createPrivateKey(key))) return false;
    return issuer === undefined || certificate.verify(new X509Certificate(issuer.cert).publicKey);
  } catch {
    return false;
  }
}

/** The certificate when it can be read and has time left. */
function lives(pem: string): x509.X509Certificate | undefined {
  try {
    const certificate = new x509.X509Certificate(pem);
    return certificate.notAfter.getTime() > Date.now() + RENEW_BEFORE_DAYS * DAY_MS ? certificate : undefined;
  } catch {
    return undefined;
  }
}

function covers(pem: string, names: readonly string[]): boolean {
  const extension = lives(pem)?.getExtension(x509.SubjectAlternativeNameExtension);
  if (extension === null || extension === undefined) return false;
  const present = new Set(extension.names.items.map((item) => item.value));
  return names.every((name) => present.has(name));
}

async function makeCa(): Promise<Pair> {
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned(
    {
      name: 'CN=Vantage local edge CA',
      notBefore: new Date(Date.now() - DAY_MS),
      notAfter: new Date(Date.now() + CA_DAYS * DAY_MS),
      signingAlgorithm: ALGORITHM,
      keys,
      extensions: [
        new x509.BasicConstraintsExtension(true, 1, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey, false, webcrypto),
      ],
    },
    webcrypto,
  );
  return { cert: certificate.toString('pem'), key: await exportKey(keys.privateKey) };
}

async function makeServer(ca: Pair, names: readonly string[]): Promise<Pair> {
  const issuer = new x509.X509Certificate(ca.cert);
  const signingKey = await webcrypto.subtle.importKey(
    'pkcs8',
    x509.PemConverter.decodeFirst(ca.key),
    ALGORITHM,
    false,
    ['sign'],
  );
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.create(
    {
      subject: 'CN=localhost',
      issuer: issuer.subject,
      notBefore: new Date(Date.now() - DAY_MS),
      notAfter: new Date(Math.min(Date.now() + SERVER_DAYS * DAY_MS, issuer.notAfter.getTime())),
      signingAlgorithm: ALGORITHM,
      signingKey,
      publicKey: keys.publicKey,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
        new x509.SubjectAlternativeNameExtension(
          names.map((value) => ({ type: isIP(value) === 0 ? ('dns' as const) : ('ip' as const), value })),
        ),
        await x509.AuthorityKeyIdentifierExtension.create(issuer, false, webcrypto),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey, false, webcrypto),
      ],
    },
    webcrypto,
  );
  return { cert: certificate.toString('pem'), key: await exportKey(keys.privateKey) };
}

async function exportKey(key: webcrypto.CryptoKey): Promise<string> {
  return x509.PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY');
}

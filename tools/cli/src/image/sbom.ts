import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { VantageError, isObject, messageOf } from '@vantage/contracts';
import { closureOf, parseLock, type Lock, type LockedPackage } from './lock-file.ts';
import { findModules, hostPlatform, REPOSITORY, type BuildableModule } from './modules.ts';

export interface SbomOptions {
  /** Names of module folders; default: all. */
  readonly module?: readonly string[];
  readonly platform?: string;
  /** Folder. */
  readonly out: string;
}

const MAX_BYTES = 64 * 1024 * 1024;
const LONGEST_MS = 120_000;

/**
 * The software bill of materials of each module's image, a file for each: what npm puts into it, by npm's own list
 * (CycloneDX). It is read from package-lock.json, as the image's build does, so that nothing has to be installed, and
 * names optional packages of every platform.
 *
 * @throws VantageError IMAGE_MODULE_UNKNOWN, IMAGE_SBOM_FAILED
 */
export async function writeSboms(options: SbomOptions, tell: (line: string) => void): Promise<void> {
  const modules = await findModules(REPOSITORY, options.platform ?? hostPlatform(), options.module ?? []);
  const [whole, lock] = await Promise.all([wholeBill(), readLock()]);
  await mkdir(options.out, { recursive: true });
  for (const module of modules) {
    const bill = billOf(whole, lock, module);
    const target = path.join(options.out, `${module.tag.replace(/[/:]/g, '_')}.cdx.json`);
    await writeFile(`${target}.tmp`, `${JSON.stringify(bill, null, 2)}\n`);
    await rename(`${target}.tmp`, target);
    tell(`${target}  ${bill.components.length} packages`);
  }
}

interface Component {
  readonly 'bom-ref': string;
  readonly [fact: string]: unknown;
}

interface Bill {
  readonly serialNumber: string;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly components: readonly Component[];
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn?: readonly string[] }[];
}

/** Of all workspaces. npm leaves out packages that several others need: {@link billOf} adds them. */
async function wholeBill(): Promise<Bill> {
  const args = ['sbom', '--sbom-format', 'cyclonedx', '--sbom-type', 'application', '--omit', 'dev'];
  try {
    const { stdout } = await promisify(execFile)('npm', [...args, '--package-lock-only'], {
      cwd: REPOSITORY,
      maxBuffer: MAX_BYTES,
      timeout: LONGEST_MS,
      shell: process.platform === 'win32',
    });
    const bill: unknown = JSON.parse(stdout);
    if (!isBill(bill)) throw new Error('it printed no list of components and dependencies');
    return bill;
  } catch (cause) {
    throw failed(messageOf(cause).trim(), cause);
  }
}

function isBill(value: unknown): value is Bill {
  if (!isObject(value)) return false;
  return isObject(value['metadata']) && Array.isArray(value['components']) && Array.isArray(value['dependencies']);
}

/** What a module needs, and what that needs: npm's words where it has some, else those of the lock file. */
function billOf(whole: Bill, lock: Lock, module: BuildableModule): Bill {
  const { own, packages } = closureOf(lock, `modules/${module.name}`);
  const known = new Map(whole.components.map((component) => [component['bom-ref'], component]));
  const componentOf = ({ name, version, license }: LockedPackage): Component =>
    known.get(`${name}@${version}`) ?? {
      ...{ 'bom-ref': `${name}@${version}`, type: 'library', name, version, scope: 'required' },
      purl: `pkg:npm/${name.replace('@', '%40')}@${version}`,
      ...(license === undefined ? {} : { licenses: [{ license: { name: license } }] }),
    };
  const properties = [{ name: 'vantage:image', value: module.tag }];
  const components = new Map(packages.map((one) => [refOf(one), componentOf(one)]));
  const dependencies = new Map<string, readonly string[]>();
  for (const one of [own, ...packages]) {
    const needs = one.needs.flatMap((need) => lock.get(need) ?? []).map(refOf);
    dependencies.set(refOf(one), [...new Set([...(dependencies.get(refOf(one)) ?? []), ...needs])]);
  }
  return {
    ...whole,
    serialNumber: `urn:uuid:${randomUUID()}`,
    metadata: { ...whole.metadata, component: { ...componentOf(own), type: 'application', properties } },
    components: [...components.values()],
    dependencies: Array.from(dependencies, ([ref, dependsOn]) => ({ ref, dependsOn })),
  };
}

function refOf({ name, version }: LockedPackage): string {
  return `${name}@${version}`;
}

async function readLock(): Promise<Lock> {
  return parseLock(await readFile(path.join(REPOSITORY, 'package-lock.json'), 'utf8'));
}

function failed(reason: string, cause?: unknown): VantageError {
  return new VantageError('IMAGE_SBOM_FAILED', `npm cannot list the packages of the images: ${reason}`, { cause });
}

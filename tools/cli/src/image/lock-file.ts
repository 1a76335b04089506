import path from 'node:path';
import { VantageError } from '@vantage/contracts';

/** A package of package-lock.json. */
export interface LockedPackage {
  readonly name: string;
  readonly version: string;
  readonly license?: string;
  /** Keys of what it needs at run time, as far as it is installed. */
  readonly needs: readonly string[];
}

/** Packages by their folder, relative to the root of the repository. */
export type Lock = ReadonlyMap<string, LockedPackage>;

interface Entry {
  readonly name?: string;
  readonly version?: string;
  readonly license?: string;
  readonly link?: boolean;
  readonly resolved?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

/** Reads a package-lock.json of version 3. */
export function parseLock(text: string): Lock {
  const { packages } = JSON.parse(text) as { readonly packages: Readonly<Record<string, Entry>> };
  const lock = new Map<string, LockedPackage>();
  for (const [folder, entry] of Object.entries(packages)) {
    if (entry.link) continue;
    const { dependencies, optionalDependencies, peerDependencies, license } = entry;
    const names = Object.keys({ ...peerDependencies, ...dependencies, ...optionalDependencies });
    lock.set(folder, {
      name: entry.name ?? folder.slice(folder.lastIndexOf('node_modules/') + 'node_modules/'.length),
      version: entry.version ?? '0.0.0',
      needs: names.flatMap((name) => find(packages, folder, name) ?? []),
      ...(license === undefined ? {} : { license }),
    });
  }
  return lock;
}

/** Where Node finds a package from a folder; a link stands for what it leads to. */
function find(packages: Readonly<Record<string, Entry>>, from: string, name: string): string | undefined {
  for (let folder = from; ; folder = path.posix.dirname(folder)) {
    const key = path.posix.join(folder, 'node_modules', name);
    const entry = packages[key];
    if (entry) return entry.link ? entry.resolved : key;
    if (folder === '.' || folder === '') return undefined;
  }
}

/** A workspace and everything that it needs. @throws VantageError IMAGE_SBOM_FAILED */
export function closureOf(
  lock: Lock,
  workspace: string,
): { readonly own: LockedPackage; readonly packages: readonly LockedPackage[] } {
  const own = lock.get(workspace);
  if (!own) {
    throw new VantageError('IMAGE_SBOM_FAILED', `package-lock.json has no ${workspace}: bring it up to date`);
  }
  const reached = new Set(own.needs);
  // A set takes in what is added while it is walked.
  for (const folder of reached) for (const need of lock.get(folder)?.needs ?? []) reached.add(need);
  return { own, packages: [...reached].flatMap((folder) => lock.get(folder) ?? []) };
}

import { lstat, readFile, readdir, readlink, realpath } from 'node:fs/promises';
import path from 'node:path';

/** A file of a build context. */
export interface ContextFile {
  /** Relative to the root of the repository, with `/`. */
  readonly name: string;
  readonly file: string;
  /** Target of a symbolic link. */
  readonly link?: string;
}

interface PackageJson {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

/** What nobody reads at run time: of any package, and of our own. */
const LEFT_OUT = /\.d\.[cm]?ts$|\.map$/;
const OURS_LEFT_OUT = /(^|\/)test\/|\.spec\.ts$|\/Dockerfile\.|\/README\.md$/;

/**
 * Everything that a workspace needs at run time out of this machine's node_modules: the packages that its dependencies
 * name, and theirs, where Node would find them. Native parts of other platforms are left out.
 */
export async function runtimeFiles(root: string, workspace: string): Promise<ContextFile[]> {
  const files: ContextFile[] = [{ name: 'package.json', file: path.join(root, 'package.json') }];
  const seen = new Set<string>();
  const visit = async (folder: string): Promise<void> => {
    if (seen.has(folder)) return;
    seen.add(folder);
    const isOurs = !folder.includes(`${path.sep}node_modules${path.sep}`);
    files.push(...(await filesOf(root, folder, isOurs)));
    const json = JSON.parse(await readFile(path.join(folder, 'package.json'), 'utf8')) as PackageJson;
    for (const name of Object.keys({ ...json.dependencies, ...json.optionalDependencies })) {
      const found = await findPackage(root, folder, name);
      if (found === undefined) {
        if (json.dependencies?.[name] === undefined || json.optionalDependencies?.[name] !== undefined) continue;
        throw new Error(`${name}, which ${path.relative(root, folder)} needs, is not installed: run "npm ci" first`);
      }
      const target = await realpath(found);
      if (target !== found) {
        files.push({ name: path.relative(root, found), file: found, link: await readlink(found) });
      }
      await visit(target);
    }
  };
  await visit(path.join(root, workspace));
  return files;
}

/** Where Node finds a package from a folder. */
async function findPackage(root: string, from: string, name: string): Promise<string | undefined> {
  for (let folder = from; ; folder = path.dirname(folder)) {
    const candidate = path.join(folder, 'node_modules', name);
    if (
      await lstat(candidate).then(
        () => true,
        () => false,
      )
    )
      return candidate;
    if (folder === root || folder === path.dirname(folder)) return undefined;
  }
}

/** A file, or all files of a folder. */
export async function filesBelow(root: string, place: string): Promise<ContextFile[]> {
  const isFile = (await lstat(place)).isFile();
  return isFile ? [{ name: path.relative(root, place), file: place }] : filesOf(root, place, false);
}

async function filesOf(root: string, folder: string, isOurs: boolean): Promise<ContextFile[]> {
  const files: ContextFile[] = [];
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const file = path.join(folder, entry.name);
    const name = path.relative(root, file).split(path.sep).join('/');
    if (entry.name === 'node_modules' || isForeign(name) || LEFT_OUT.test(name)) continue;
    if (isOurs && OURS_LEFT_OUT.test(entry.isDirectory() ? `${name}/` : name)) continue;
    if (entry.isDirectory()) files.push(...(await filesOf(root, file, isOurs)));
    else if (entry.isFile()) files.push({ name, file });
  }
  return files;
}

/** onnxruntime-node brings its library for every platform, a quarter of a gigabyte. */
function isForeign(name: string): boolean {
  const [, system, machine] = /onnxruntime-node\/bin\/napi-v\d+\/([^/]+)(?:\/([^/]+))?/.exec(name) ?? [];
  return system !== undefined && (system !== 'linux' || (machine !== undefined && machine !== process.arch));
}

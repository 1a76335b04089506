import { basename, dirname, isAbsolute, join } from 'node:path';
import { addContainerModules, type FindContainers } from './container-modules.ts';
import { chunkKey, splitCreateOptions } from './create-options.ts';
import { type Environment, expandVariables } from './env.ts';
import { moduleFileError, templateError } from './errors.ts';
import type { DeploymentProblem } from './inspect/problem.ts';
import { type Json, type JsonObject, isJsonObject, parseJson } from './json.ts';
import { agentModules, allModules, settingsOf } from './manifest.ts';
import { type ModuleFile, listFolders, readModuleFile } from './module-file.ts';
import { dumpJson, pythonStr } from './python-format.ts';
import { manifestWarnings } from './validate.ts';

export interface GenerateOptions {
  /** The template, as read from its file. */
  readonly templateText: string;
  /** Where it was read from: names the manifest and, by its folder, finds the modules. */
  readonly templatePath: string;
  /** All variables, `.env` included (see {@link withDotEnv}). Read: any that the template names, MODULES_PATH,
   * CONFIG_OUTPUT_DIR, CONTAINER_TAG, DEFAULT_PLATFORM and DEPLOYMENT_CONFIG_FILE. */
  readonly env: Environment;
  /** `amd64`, `arm64v8`, ...; default DEFAULT_PLATFORM, then amd64. */
  readonly platform?: string;
  /** Folder of the modules, absolute or relative to the template's; default MODULES_PATH, then `modules`. */
  readonly modulesPath?: string;
  /** Finds the containers that skills bring along; absent: none are added. */
  readonly findContainers?: FindContainers;
}

export interface GeneratedManifest {
  /** The manifest as it is written, without final newline. */
  readonly text: string;
  readonly manifest: Json;
  /** File name. */
  readonly name: string;
  /** Where it belongs, relative to the current folder: CONFIG_OUTPUT_DIR, then `config`, and the name. */
  readonly path: string;
  /** In iotedgedev's words; empty when the manifest is valid. */
  readonly warnings: readonly string[];
  /** Module name to the folder whose `module.json` gave its image, for modules found through a placeholder. */
  readonly moduleFolders: ReadonlyMap<string, string>;
  /** What is wrong with the containers of skills. */
  readonly problems: readonly DeploymentProblem[];
}

/**
 * Turns a deployment template into a manifest, byte for byte as iotedgedev does: variables in the raw text, image
 * placeholders, createOptions to text in pieces of 512 characters, schema version removed. The containers of skills are
 * ours alone.
 * @throws VantageError JSON_SYNTAX, TEMPLATE_INVALID, MODULE_FILE, CREATE_OPTIONS_SIZE
 */
export async function generateManifest(options: GenerateOptions): Promise<GeneratedManifest> {
  const { templateText, templatePath, env } = options;
  const platform = options.platform ?? env['DEFAULT_PLATFORM'] ?? 'amd64';
  const manifest = parseJson(expandVariables(templateText.replace(/\r\n?/g, '\n'), env));
  if (!isJsonObject(manifest)) throw templateError('the template is not an object');

  const images = new ImageMap(platform, env['CONTAINER_TAG'] ?? '');
  const folder = dirname(templatePath);
  const modulesFolder = under(folder, modulesPathOf(options));
  for (const name of await listFolders(modulesFolder)) {
    const moduleFolder = join(modulesFolder, name);
    const file = await readModuleFile(moduleFolder, env);
    if (file !== undefined) images.add(`MODULES.${name}`, file, moduleFolder);
  }
  const moduleFolders = await replaceImages(manifest, images, folder, env);
  const problems = options.findContainers ? addContainerModules(manifest, options.findContainers) : [];
  const schemaVersion = manifest.get('$schema-template') ?? '';
  finishTemplate(manifest);

  const name = env['DEPLOYMENT_CONFIG_FILE'] ?? manifestName(templatePath, pythonStr(schemaVersion), platform);
  return {
    text: dumpJson(manifest, 2),
    manifest,
    name,
    path: under(env['CONFIG_OUTPUT_DIR'] ?? 'config', name),
    warnings: manifestWarnings(manifest),
    moduleFolders,
    problems,
  };
}

/** `deployment.template.json` gives `deployment.amd64.json`; without platform for templates of version 0.0.1 or none. */
export function manifestName(templatePath: string, schemaVersion: string, platform: string): string {
  const file = basename(templatePath);
  const suffix = ['.template.json', '.json'].find((one) => file.endsWith(one));
  const prefix = suffix === undefined ? 'deployment' : file.slice(0, -suffix.length);
  return `${prefix}${schemaVersion > '0.0.1' ? `.${platform}` : ''}.json`;
}

export function modulesPathOf({ modulesPath, env }: GenerateOptions): string {
  return modulesPath ?? env['MODULES_PATH'] ?? 'modules';
}

/** An absolute path stands for itself. */
export function under(folder: string, path: string): string {
  return isAbsolute(path) ? path : join(folder, path);
}

/** From whole image strings (placeholders, and tags themselves) to tags and the folders they come from. */
class ImageMap {
  readonly #platform: string;
  readonly #containerTag: string;
  readonly #images = new Map<string, { readonly tag: string; readonly folder: string }>();

  constructor(platform: string, containerTag: string) {
    this.#platform = platform;
    this.#containerTag = containerTag === '' ? '' : `-${containerTag}`;
  }

  add(base: string, file: ModuleFile, folder: string): void {
    for (const platform of file.platforms) {
      const tag = `${file.repository.toLowerCase()}:${file.version}${this.#containerTag}-${platform}`;
      const image = { tag, folder };
      this.#images.set(`\${${base}.${platform}}`, image).set(tag, image);
      if (platform === this.#platform) this.#images.set(`\${${base}}`, image);
      else if (platform === `${this.#platform}.debug`) this.#images.set(`\${${base}.debug}`, image);
    }
  }

  get(image: string): { readonly tag: string; readonly folder: string } | undefined {
    return this.#images.get(image);
  }
}

const MODULE_DIR = /\$\{MODULEDIR<(.+)>(\..+)?\}/;

async function replaceImages(
  manifest: Json,
  images: ImageMap,
  folder: string,
  env: Environment,
): Promise<Map<string, string>> {
  const modules = agentModules(manifest, 'modules');
  for (const [name, module] of modules) {
    const relative = MODULE_DIR.exec(imageOf(name, module))?.[1];
    if (relative === undefined) continue;
    const moduleFolder = under(folder, relative);
    const file = await readModuleFile(moduleFolder, env);
    if (file === undefined) {
      throw moduleFileError(`module ${name}: no module.json in ${relative}; one is required in the root of a module`);
    }
    images.add(`MODULEDIR<${relative}>`, file, moduleFolder);
  }
  const folders = new Map<string, string>();
  for (const [name, module] of modules) {
    const found = images.get(imageOf(name, module));
    if (found === undefined) continue;
    settingsOf(module)?.set('image', found.tag);
    folders.set(name, found.folder);
  }
  return folders;
}

function imageOf(name: string, module: JsonObject): string {
  const image = settingsOf(module)?.get('image');
  if (typeof image !== 'string') throw templateError(`module ${name} has no settings.image`);
  return image;
}

/** Takes out what only templates have: the schema's version, and createOptions that are no text yet. */
export function finishTemplate(manifest: Json): void {
  convertCreateOptions(manifest);
  if (isJsonObject(manifest)) manifest.delete('$schema-template');
}

function convertCreateOptions(manifest: Json): void {
  for (const [name, module] of allModules(manifest)) {
    const settings = settingsOf(module);
    const value = settings?.get('createOptions');
    if (settings === undefined || value === undefined) continue;
    const text = typeof value === 'string' ? value : dumpJson(value, undefined);
    for (const [i, chunk] of splitCreateOptions(text, name).entries())
      settings.set(chunkKey('createOptions', i), chunk);
  }
}

import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { parse } from 'dotenv';
import { addContainerModules } from './container-modules.ts';
import { splitCreateOptions, chunkKey } from './create-options.ts';
import type { Environment } from './env.ts';
import { manifestName, modulesPathOf, under, type GeneratedManifest, type GenerateOptions } from './generate.ts';
import { type Json, isJsonObject, parseJson, toPlain } from './json.ts';
import { allModules, settingsOf } from './manifest.ts';
import { listFolders, readModuleFile } from './module-file.ts';

/** Never variables for the extension: they are part of every deployment. */
const KEPT = new Set(['edgeHub', 'edgeAgent', 'upstream', 'schema-template']);

/**
 * The manifest as the VS Code extension of IoT Edge writes it (contract D.2): placeholders of images anywhere in the text
 * first, then variables (an empty one stays as it is), createOptions with their characters unescaped.
 * @throws VantageError JSON_SYNTAX, TEMPLATE_INVALID, MODULE_FILE, CREATE_OPTIONS_SIZE
 */
export async function generateVsCodeManifest(
  options: GenerateOptions,
): Promise<Pick<GeneratedManifest, 'text' | 'manifest' | 'name' | 'problems'>> {
  const { env } = options;
  const platform = options.platform ?? env['DEFAULT_PLATFORM'] ?? 'amd64';
  const printed = JSON.stringify(toPlain(parseJson(options.templateText)), null, 2);
  const images = await imagesOf(under(dirname(options.templatePath), modulesPathOf(options)), env, platform);
  const withImages = printed.replace(/\$\{(MODULES\.[^}]+)\}/g, (match, key: string) => images.get(key) ?? match);
  const expanded = withImages.replace(
    /\$(?:(\w[\w-]*)|\{(\w+)\})/g,
    (match, plain: string | undefined, braced: string | undefined) => {
      if (plain !== undefined && KEPT.has(plain)) return match;
      // A plain name ends where word characters do.
      const name = braced ?? /^\w+/.exec(plain ?? '')?.[0] ?? '';
      const value = env[name];
      return value === undefined || value === '' ? match : value + (plain ?? '').slice(name.length);
    },
  );
  const manifest = parseJson(expanded);
  const schemaVersion = isJsonObject(manifest) ? toPlain(manifest.get('$schema-template') ?? '') : '';
  if (isJsonObject(manifest)) manifest.delete('$schema-template');
  const problems = options.findContainers ? addContainerModules(manifest, options.findContainers) : [];
  splitOptions(manifest);
  return {
    text: JSON.stringify(toPlain(manifest), null, 2),
    manifest,
    name: manifestName(options.templatePath, typeof schemaVersion === 'string' ? schemaVersion : '', platform),
    problems,
  };
}

/** Each module folder may have a `.env` of its own for its `module.json`. */
async function imagesOf(modules: string, env: Environment, platform: string): Promise<Map<string, string>> {
  const images = new Map<string, string>();
  for (const name of await listFolders(modules)) {
    const folder = join(modules, name);
    const own = parse(await readFile(join(folder, '.env'), 'utf8').catch(() => ''));
    const file = await readModuleFile(folder, { ...env, ...own });
    for (const one of file?.platforms ?? []) {
      const image = `${file?.repository ?? ''}:${file?.version ?? ''}-${one}`;
      images.set(`MODULES.${name}.${one}`, image);
      if (one === platform) images.set(`MODULES.${name}`, image);
      if (one === `${platform}.debug`) images.set(`MODULES.${name}.debug`, image);
    }
  }
  return images;
}

function splitOptions(manifest: Json): void {
  for (const [name, module] of allModules(manifest)) {
    const settings = settingsOf(module);
    const value = settings?.get('createOptions');
    if (settings === undefined || value === undefined) continue;
    const text = typeof value === 'string' ? value : JSON.stringify(toPlain(value));
    if (text === '') continue;
    for (const [i, chunk] of splitCreateOptions(text, name).entries())
      settings.set(chunkKey('createOptions', i), chunk);
  }
}

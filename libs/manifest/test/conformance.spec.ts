import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  checkAgainst,
  checkSystemModules,
  fromPlain,
  generateManifest,
  joinChunks,
  parseCreateOptions,
  parseImage,
  splitCreateOptions,
  toPlain,
  type SchemaName,
} from '../src/index.ts';

const root = resolve(import.meta.dirname, '../../..');
const folder = resolve(root, process.env['VANTAGE_CASES'] ?? '../shared/cases', 'iot-edge');
const found = existsSync(folder);
if (!found) process.stderr.write(`skipped: no conformance cases at ${folder} (set VANTAGE_CASES)\n`);
const describeCases = found ? describe : describe.skip;

function cases<Case>(name: string): Case[] {
  return found ? (JSON.parse(readFileSync(join(folder, name), 'utf8')) as { cases: Case[] }).cases : [];
}

describeCases('templates', () => {
  interface TemplateCase {
    id: string;
    name: string;
    template: string;
    platform: string;
    env: Record<string, string>;
    files: Record<string, string>;
    expect: {
      error?: string;
      message?: string;
      file: string;
      manifest: unknown;
      raw_sha256: string;
      valid: boolean;
      warnings: string[];
    };
  }
  const names = found ? readdirSync(join(folder, 'templates')).sort() : ['none'];
  let work = '';
  beforeAll(async () => {
    work = await mkdtemp(join(tmpdir(), 'vantage-manifest-'));
  });
  afterAll(() => rm(work, { recursive: true, force: true }));

  test.each(names)('%s', async (name) => {
    const {
      template,
      platform,
      env,
      files,
      expect: expected,
    } = JSON.parse(await readFile(join(folder, 'templates', name), 'utf8')) as TemplateCase;
    const cwd = await mkdtemp(join(work, 'case-'));
    for (const [path, content] of Object.entries(files)) {
      await mkdir(dirname(join(cwd, path)), { recursive: true });
      await writeFile(join(cwd, path), content);
    }
    const templatePath = join(cwd, template);
    const generate = async (): ReturnType<typeof generateManifest> =>
      generateManifest({ templateText: await readFile(templatePath, 'utf8'), templatePath, env, platform });
    if (expected.error !== undefined) {
      await expect(generate()).rejects.toThrow(expected.message ?? '');
      return;
    }
    const { text, manifest, path, warnings } = await generate();
    expect(toPlain(manifest)).toEqual(expected.manifest);
    expect(warnings).toEqual(expected.warnings);
    expect(warnings.length === 0).toBe(expected.valid);
    expect(path).toBe(expected.file);
    expect(createHash('sha256').update(text).digest('hex')).toBe(expected.raw_sha256);
    expect(relative(cwd, templatePath)).toBe(template);
    expect(await readdir(cwd)).not.toContain('config');
  });
});

describeCases('manifests.json', () => {
  interface ManifestCase {
    id: string;
    name: string;
    schema: string;
    instance: unknown;
    valid: boolean;
    errors: string[];
    skipped?: string[];
  }
  test.each(cases<ManifestCase>('manifests.json'))('$id $name', ({ schema, instance, valid, errors, skipped }) => {
    const manifest = fromPlain(instance);
    if (skipped !== undefined) {
      const check = checkSystemModules(manifest);
      expect(check.skipped).toEqual(skipped);
      expect(check.issues.length === 0).toBe(valid);
      return;
    }
    const issues = checkAgainst(schema.replace(/\.json$/, '') as SchemaName, manifest);
    expect(issues.map(({ path, message }) => `${path.join('/')}: ${message}`)).toEqual(errors);
    expect(issues.length === 0).toBe(valid);
  });
});

describeCases('create_options.json', () => {
  type Expected = { error?: string; joined?: string; value?: unknown };
  type OptionsCase = { id: string; name?: string } & (
    | { kind: 'join'; settings: Record<string, string>; expect: Expected }
    | { kind: 'chunk'; field: string; ignoreCase: boolean; object: Record<string, string>; expect: Expected }
    | { kind: 'parse'; createOptions: string | null; expect: unknown }
    | { kind: 'split'; createOptions: unknown; expect: Record<string, string> }
  );
  test.each(cases<OptionsCase>('create_options.json'))('$id $kind $name', (one) => {
    if (one.kind === 'parse') {
      expect(parseCreateOptions(one.createOptions)).toEqual(one.expect);
    } else if (one.kind === 'split') {
      const text = JSON.stringify(one.createOptions);
      const chunks = splitCreateOptions(text, 'module');
      const { image, ...wanted } = one.expect;
      expect(image).toBeDefined();
      expect(chunks).toEqual(Object.values(wanted));
      expect(joinChunks(one.expect)).toBe(text);
    } else {
      const { error, joined, value } = one.expect;
      const join =
        one.kind === 'join'
          ? () => joinChunks(one.settings)
          : () => joinChunks(one.object, one.field, { ignoreCase: one.ignoreCase });
      if (error !== undefined) {
        // Of the cases of the bare field only the kind of error was recorded.
        expect(join).toThrow(one.kind === 'join' ? error : /^Error while parsing chunked field/);
        return;
      }
      expect(join()).toBe(joined);
      if (value !== undefined) expect(parseCreateOptions(join())).toEqual(value);
    }
  });
});

describeCases('images.json', () => {
  interface ImageCase {
    id: string;
    image: string | null;
    expect: { error?: string; image?: string };
  }
  test.each(cases<ImageCase>('images.json'))('$id $image', ({ image, expect: expected }) => {
    if (expected.error !== undefined) expect(() => parseImage(image)).toThrow(/is not of the form/);
    else expect(parseImage(image).name).toBe(expected.image);
  });
});

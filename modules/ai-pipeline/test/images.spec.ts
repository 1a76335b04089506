import { describe, expect, test } from '@jest/globals';
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');

interface ModuleJson {
  readonly image: { readonly tag: { readonly platforms: Readonly<Record<string, string>> } };
}

const module = JSON.parse(readFileSync(path.join(folder, 'module.json'), 'utf8')) as ModuleJson;
const platforms = Object.entries(module.image.tag.platforms);

test('every Dockerfile is an image of module.json', () => {
  const files = readdirSync(folder).filter((name) => name.startsWith('Dockerfile'));
  expect(platforms.map(([, file]) => path.basename(file)).sort()).toEqual(files.sort());
  expect(platforms.map(([name]) => name).sort()).toEqual(['amd64', 'amd64.dgpu', 'arm64v8', 'arm64v8.jetson']);
});

describe.each(platforms)('the image for %s', (platform, file) => {
  const text = readFileSync(path.join(folder, file), 'utf8');
  const last = text.slice(text.lastIndexOf('\nFROM '));

  test('stands on bases of one version, for its machine', () => {
    const values = new Map([...text.matchAll(/^ARG (\w+)=(\S*)$/gm)].map(([, name, value]) => [name!, value!]));
    const bases = [...text.matchAll(/^FROM --platform=(\S+) \$\{(\w+)\}/gm)];
    expect(bases).toHaveLength([...text.matchAll(/^FROM /gm)].length);
    for (const [, machine, name] of bases) {
      expect(machine).toBe(platform.startsWith('amd64') ? 'linux/amd64' : 'linux/arm64');
      expect(values.get(name!)).toMatch(/^\S+:(?!latest)\S*\d\S*$/);
    }
  });

  test('does not run as root, tells how it is, sends no telemetry', () => {
    expect(last).toMatch(/\nUSER node\n[\s\S]*\nCMD /);
    expect(last).not.toMatch(/\nUSER root/);
    expect(last).toMatch(/\nHEALTHCHECK [\s\S]*9600\/healthz/);
    expect(last).toContain('ORT_DISABLE_TELEMETRY=1');
  });

  test('installs packages of one version only', () => {
    for (const [, list] of text.replace(/\\\n/g, ' ').matchAll(/pip install([^;&\n]+)/g)) {
      const packages = list!.split(/\s+/).filter((word) => word !== '' && !word.startsWith('-'));
      expect(packages.length).toBeGreaterThan(0);
      for (const one of packages) expect(one).toMatch(/==[\d$]|\.whl$|ONNXRUNTIME_WHEEL/);
    }
    expect(text).toContain('npm ci --omit=dev');
  });
});

import { existsSync } from 'node:fs';
import path from 'node:path';

const [web = '', outDir = ''] = process.argv.slice(2).map((folder) => path.resolve(folder));
const { build } = await import('vite');
const configFile = ['vite.config.ts', 'vite.config.mjs']
  .flatMap((name) => [path.join(web, name), path.join(web, '..', name)])
  .find((file) => existsSync(file));
await build({
  root: web,
  configFile: configFile ?? false,
  logLevel: 'error',
  build: { outDir, emptyOutDir: true },
});

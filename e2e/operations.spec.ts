import { spawn } from 'node:child_process';
import { chmodSync, cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { demo } from '@vantage/demo';
import { REPOSITORY } from './support/assets.ts';

jest.setTimeout(400_000);

interface Step {
  readonly command: string;
  /** Lines that the command prints, in this order, among others. */
  readonly shown: readonly string[];
}

let work: string;
beforeAll(() => {
  work = mkdtempSync(path.join(os.tmpdir(), 'vantage-operations-'));
  // What `npx` finds in a solution's folder, also before there is one.
  const command = path.join(REPOSITORY, 'tools/cli/bin/vantage.mjs');
  const npx = `#!/bin/sh\nshift\nexec '${process.execPath}' '${command}' "$@"\n`;
  writeFileSync(path.join(work, 'npx'), npx);
  chmodSync(path.join(work, 'npx'), 0o755);
});
afterAll(async () => {
  await run('npx vantage down', path.join(work, 'site'));
  rmSync(work, { recursive: true, force: true });
});

/** The `console` blocks of a page. */
function stepsOf(page: string): Step[] {
  const lines = [...page.matchAll(/```console\n([^]*?)```/g)].flatMap(([, block = '']) => block.trimEnd().split('\n'));
  const steps: { command: string; shown: string[] }[] = [];
  for (const line of lines) {
    if (line.startsWith('$ ')) steps.push({ command: line.slice(2), shown: [] });
    else steps.at(-1)?.shown.push(line);
  }
  return steps;
}

function run(command: string, cwd: string): Promise<{ status: number | null; text: string }> {
  const env = {
    ...process.env,
    PATH: `${work}:${process.env['PATH'] ?? ''}`,
    VANTAGE_HOME: path.join(work, 'home'),
    NODE_OPTIONS: '',
    NO_COLOR: '1',
  };
  const child = spawn('/bin/sh', ['-c', command], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (more) => (text += more));
  return new Promise((resolve) => child.on('close', (status) => resolve({ status, text })));
}

/** Commands are what is tried here: the demo's model looks at every tenth picture, so that they have the processor. */
function beCalm(site: string): void {
  const model = path.join(site, 'model');
  cpSync(demo.modelFolder, model, { recursive: true });
  const replace = (file: string, what: string, by: string): void => {
    const text = readFileSync(file, 'utf8');
    expect(text).toContain(what);
    writeFileSync(file, text.replace(what, by));
  };
  const config = path.join(model, path.basename(demo.modelConfig));
  replace(config, 'interval=0', 'interval=9');
  replace(path.join(site, 'deployment.template.json'), '${DEMO_MODEL_CONFIG}', config);
}

/** A line of the page: `…` is anything, and columns may be wider. */
function pattern(shown: string): RegExp {
  const escaped = shown.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replaceAll(/ +/g, ' +');
  return new RegExp(escaped.replaceAll(/(?: \+)?…(?: \+)?/g, '.*'));
}

test('docs/operations.md: the session does what the page shows', async () => {
  const steps = stepsOf(readFileSync(path.join(REPOSITORY, 'docs/operations.md'), 'utf8'));
  expect(steps.length).toBeGreaterThan(15);
  let cwd = work;
  for (const { command, shown } of steps) {
    if (command.startsWith('cd ')) {
      cwd = path.join(cwd, command.slice(3));
      beCalm(cwd);
      continue;
    }
    const { status, text } = await run(command, cwd);
    const printed = text.split('\n');
    let at = 0;
    for (const line of shown) {
      const found = printed.findIndex((one, index) => index >= at && pattern(line).test(one));
      if (found < 0) throw new Error(`"${command}" does not show "${line}", but:\n${text}`);
      at = found + 1;
    }
    expect([command, status]).toEqual([command, 0]);
  }
});

import { existsSync } from 'node:fs';
import path from 'node:path';
import { describe } from '@jest/globals';
import { chromium, type Browser } from 'playwright-core';
import { REPOSITORY } from '../../support/assets.ts';

const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** The browser of this machine; `CHROMIUM_PATH` names another. */
const executablePath = [process.env['CHROMIUM_PATH'] ?? '', ...PLACES].find((file) => file !== '' && existsSync(file));

/** A suite that is skipped, with the reason printed, where there is no Chromium. */
export function describeWithBrowser(name: string, suite: () => void): void {
  if (executablePath !== undefined) return describe(name, suite);
  process.stderr.write(`skipped: ${name}: no Chromium in ${PLACES.join(', ')} (set CHROMIUM_PATH)\n`);
  describe.skip(name, suite);
}

/** @param hosts names that mean this machine to the browser */
export function openBrowser(...hosts: readonly string[]): Promise<Browser> {
  const rules = hosts.map((host) => `MAP ${host} 127.0.0.1`).join(',');
  return chromium.launch({
    executablePath: executablePath ?? '',
    // Containers of CI give no user namespaces; the page is ours.
    args: ['--no-sandbox', '--disable-dev-shm-usage', ...(rules === '' ? [] : [`--host-resolver-rules=${rules}`])],
  });
}

/** Where a picture of a page goes, or undefined: only `VANTAGE_SCREENSHOTS=1` writes the pictures of the documents. */
export function screenshotPath(name: string): string | undefined {
  if (process.env['VANTAGE_SCREENSHOTS'] !== '1') return undefined;
  return path.join(REPOSITORY, 'docs/images', `player-${name}.png`);
}

import { once } from 'node:events';
import { createWriteStream, readdirSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from '@jest/globals';
import { demo as street } from '@vantage/demo';
import { ZipFile } from 'yazl';
import type { ApiCamera } from '../../../modules/player/src/api.ts';
import { drawings, freeze } from '../support/drawings.ts';
import type { RunningDemo } from '../support/running-demo.ts';

const PAGES = ['cameras', 'live', 'clips', 'regions', 'configuration', 'models', 'health', 'why'] as const;

/** Configuration, models, health, why; and all pages on a phone. */
export function pages(demo: () => RunningDemo): void {
  test('an edit is planned, applied and rolled back', async () => {
    const { player } = demo();
    const { page } = player;
    await player.open('configuration');
    await page.getByRole('radio', { name: 'JSON' }).click();
    const area = page.getByLabel('Desired properties as JSON');
    const text = await area.inputValue();
    await area.fill(text.replace('{', '{,'));
    await page.getByRole('button', { name: 'line 1' }).waitFor();
    await area.fill(text.replace(/"coordinates": \[\s*\[\s*[\d.]+/, (start) => start.replace(/[\d.]+$/, '7.5')));
    await page
      .getByText(/lies outside the picture/)
      .first()
      .waitFor();
    await area.fill(text.replace('"label": "crossing"', '"label": "zebra"'));
    await page
      .getByText(/lies outside the picture/)
      .first()
      .waitFor({ state: 'detached' });
    await page.getByText('its regions apply from the next frame on').waitFor();
    await page.getByRole('radio', { name: 'Form' }).click();
    await player.shoot('configuration');
    await page.getByRole('button', { name: 'Apply' }).click();
    await page.getByText(/^Applied/).waitFor();
    const labels = async (): Promise<string[]> =>
      (await player.get<ApiCamera[]>('/api/cameras'))[0]!.regions.map((one) => one.label);
    expect(await labels()).toContain('zebra');
    await page.getByRole('button', { name: 'Roll back' }).first().click();
    await page.getByText('Rolled back.').waitFor();
    expect(await labels()).toContain('crossing');
  }, 90_000);

  test('models, health and the chain behind a moment', async () => {
    const { player } = demo();
    const { page } = player;
    await player.open('models');
    await page.getByText("Drop a model's zip here").waitFor();
    const zip = path.join(demo().work, 'street.zip');
    await zipFolder(street.modelFolder, zip);
    await page.getByLabel('Zip of a model').setInputFiles(zip);
    await page.getByText('can be used', { exact: true }).waitFor({ timeout: 60_000 });
    await player.shoot('models');
    await page.getByRole('button', { name: 'Use this model' }).click();
    await page.getByText(/^StreetDetection changes to this model/).waitFor();
    await player.open('health');
    await page.getByRole('heading', { name: /ai-pipeline/ }).waitFor();
    await player.shoot('health');
    await player.open('why/StreetDetection/street');
    await page.getByRole('button', { name: 'Just now' }).click();
    await page.getByRole('heading', { name: 'In short' }).waitFor();
    await player.shoot('why');
  }, 120_000);

  test('on a phone nothing is wider than the screen, and everything that can be pressed has a name', async () => {
    const { player } = demo();
    const { page } = player;
    await player.open('cameras');
    await page.getByRole('img', { name: 'What street sees' }).waitFor();
    await player.shoot('cameras');
    await player.open('live/StreetDetection/street');
    await freeze(page);
    await page.getByText('Waiting for a picture').waitFor({ state: 'detached' });
    await player.shoot('live');
    await page.setViewportSize({ width: 390, height: 844 });
    await page.emulateMedia({ colorScheme: 'dark' });
    for (const name of PAGES) {
      await player.open(name);
      await page.locator('h1').waitFor();
      const found = await page.evaluate(() => ({
        wide: document.documentElement.scrollWidth - document.documentElement.clientWidth,
        nameless: [...document.querySelectorAll('button, a, input, select, textarea')]
          .filter((one) => {
            const labels = one instanceof HTMLInputElement || one instanceof HTMLSelectElement ? one.labels?.length : 0;
            return !labels && !one.ariaLabel && (one.textContent ?? '').trim() === '';
          })
          .map((one) => one.outerHTML.slice(0, 120)),
      }));
      expect({ name, ...found }).toEqual({ name, wide: 0, nameless: [] });
    }
    await player.open('live/StreetDetection/street');
    await drawings(page, 2);
    await page.getByText('Waiting for a picture').waitFor({ state: 'detached' });
    await player.shoot('phone');
    expect(player.faults).toEqual([]);
  }, 90_000);
}

async function zipFolder(folder: string, zip: string): Promise<void> {
  const file = new ZipFile();
  for (const name of readdirSync(folder)) file.addFile(path.join(folder, name), `street/${name}`);
  file.end();
  await once(file.outputStream.pipe(createWriteStream(zip)), 'close');
}

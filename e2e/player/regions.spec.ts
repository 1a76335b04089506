import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { Browser, Locator, Page } from 'playwright-core';
import type { ApiCamera, ApiRegion, ApiTwin } from '../../modules/player/src/api.ts';
import { describeWithBrowser, openBrowser } from './support/browser.ts';
import { PlayerAlone } from './support/player-alone.ts';
import { PlayerPage } from './support/player-page.ts';

const DOOR: ApiRegion = { label: 'door', color: '#ffc800', coordinates: [[0.1, 0.2], [0.4, 0.2], [0.4, 0.6], [0.1, 0.6]] }; // prettier-ignore
const GATE: ApiRegion = { label: 'gate', color: '#00e5ff', coordinates: [[0.6, 0.2], [0.9, 0.2], [0.9, 0.6]] }; // prettier-ignore
/** As somebody may have written them into the twin by hand. */
const OUTSIDE: ApiRegion = { label: 'outside', color: '#ff5c8a', coordinates: [[0.2, 0.7], [0.5, 0.7], [0.3, 1.4]] }; // prettier-ignore
const LONG = 'the pavement on the far side, between the second lantern and the entrance of the bakery';

const LONG_CAMERA = 'the-camera-above-the-second-door-of-the-northern-warehouse-which-nobody-has-renamed-since-2019';

const DESIRED = {
  azdaConfiguration: {
    components: {
      sensors: [
        { name: 'yard', endpoint: 'rtsp://127.0.0.1:9/none', regionsOfInterest: [DOOR, GATE] },
        { name: LONG_CAMERA, endpoint: '', regionsOfInterest: [] },
      ],
      deepStream: {
        pipelineConfigs: [{ id: 'People', primaryModelConfigPath: 'm.txt' }],
        streams: [{ name: 'yard', configId: 'People' }],
      },
    },
  },
};

/** The drawing board needs no picture. */
describeWithBrowser('regions that two draw, and regions that cannot be', () => {
  let alone: PlayerAlone | undefined;
  let browser: Browser | undefined;
  let player: PlayerPage;
  let page: Page;
  let board: Locator;
  let box: { x: number; y: number; width: number; height: number };

  beforeAll(async () => {
    alone = await PlayerAlone.start(DESIRED);
    browser = await openBrowser();
    player = await PlayerPage.start(browser, alone.url);
    page = player.page;
    page.on('dialog', (dialog) => void dialog.accept());
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    await alone?.stop();
  }, 30_000);

  beforeEach(async () => {
    await save([DOOR, GATE]);
    await page.goto('about:blank');
    await player.open('regions/People/yard');
    board = page.getByRole('application');
    await board.waitFor();
    await page.getByRole('list').getByLabel('Colour of gate').waitFor();
    box = (await board.boundingBox())!;
  });

  /** Somebody else. */
  async function save(regions: readonly ApiRegion[]): Promise<void> {
    const { etag } = await player.get<ApiTwin>('/api/twin/controllermodule');
    expect(await player.send('PUT', '/api/regions/yard', { regions, etag })).toBe(200);
  }
  const saved = async (): Promise<readonly ApiRegion[]> => (await player.get<ApiCamera[]>('/api/cameras'))[0]!.regions;
  const at = (x: number, y: number): [number, number] => [box.x + x * box.width, box.y + y * box.height];
  async function drag(from: readonly [number, number], to: readonly [number, number]): Promise<void> {
    await page.mouse.move(...at(...from));
    await page.mouse.down();
    await page.mouse.move(...at(...to), { steps: 4 });
    await page.mouse.up();
  }
  const button = (name: string): Locator => page.getByRole('button', { name, exact: true });
  const x = (region: ApiRegion | undefined): number | undefined => region?.coordinates[0]?.[0];

  test('what somebody else saves while nothing is drawn is there by itself', async () => {
    await save([{ ...DOOR, label: 'portal' }, GATE]);
    await page.getByLabel('Colour of portal').waitFor();
    expect(await button('Save').isDisabled()).toBe(true);
  }, 30_000);

  test('a change of the same region while one draws: it is told, and taken up', async () => {
    await drag([0.1, 0.2], [0.2, 0.3]);
    await save([{ ...DOOR, color: '#b388ff' }, GATE]);
    await page.getByText('Somebody else changed the regions of yard meanwhile.').waitFor();
    expect(await saved()).toMatchObject([{ color: '#b388ff' }, {}]);
    await button('Compare').click();
    await page.getByText('Both of you changed the same').waitFor();
    const row = page.getByRole('row', { name: /door/ });
    expect(await row.getByRole('radio').count()).toBe(2);
    await player.shoot('clash');
    // Back to drawing, and what was drawn is still there.
    await button('Go on drawing').click();
    expect(await button('Undo').isEnabled()).toBe(true);
    await button('Save').click();
    await button('Take theirs').click();
    await page.getByText('Somebody else').waitFor({ state: 'detached' });
    expect(await page.getByLabel('Colour of door').inputValue()).toBe('#b388ff');
    expect(await button('Save').isDisabled()).toBe(true);
    expect(await saved()).toMatchObject([{ color: '#b388ff', coordinates: DOOR.coordinates }, {}]);
  }, 30_000);

  test('… or overwritten, knowingly', async () => {
    await drag([0.1, 0.2], [0.2, 0.3]);
    await save([
      { ...DOOR, color: '#b388ff' },
      { ...GATE, label: 'other' },
    ]);
    // Saved before the page has noticed: nothing is overwritten unasked.
    await button('Save').click();
    await page.getByText('nothing of yours is saved yet').waitFor();
    expect(await saved()).toMatchObject([{ color: '#b388ff' }, { label: 'other' }]);
    await button('Overwrite theirs').click();
    await page.getByText(/^Saved: 2 regions/).waitFor();
    const [door, gate] = await saved();
    expect([door?.color, gate?.label, x(door)]).toEqual(['#ffc800', 'gate', expect.closeTo(0.2, 2)]);
  }, 30_000);

  test('… or put together, with mine of what both changed', async () => {
    await drag([0.1, 0.2], [0.2, 0.3]);
    await save([
      { ...DOOR, color: '#b388ff' },
      { ...GATE, color: '#ffffff' },
    ]);
    await button('Save').click();
    await page.getByRole('row', { name: /door/ }).getByRole('radio').last().check();
    await button('Save both').click();
    await page.getByText(/^Saved: 2 regions/).waitFor();
    const [door, gate] = await saved();
    expect([door?.color, gate?.color, x(door)]).toEqual(['#ffc800', '#ffffff', expect.closeTo(0.2, 2)]);
  }, 30_000);

  test('fewer than three points, crossing itself, outside of the picture, without a name: refused in place', async () => {
    const fault = (text: RegExp): Locator => page.getByRole('alert').getByText(text);
    await page.goto('about:blank');
    await save([DOOR]);
    // The server does not take it; a twin that was edited elsewhere may hold it.
    const { etag, desired } = await player.get<ApiTwin>('/api/twin/controllermodule');
    const wanted = structuredClone(desired) as unknown as typeof DESIRED;
    wanted.azdaConfiguration.components.sensors[0]!.regionsOfInterest.push(OUTSIDE);
    expect(await player.send('PUT', '/api/regions/yard', { regions: [DOOR, OUTSIDE], etag })).toBe(422);
    expect(await player.send('POST', '/api/twin/controllermodule', { desired: wanted, etag, force: true })).toBe(200);
    await player.open('regions/People/yard');
    await fault(/^Point 3 lies outside the picture/).waitFor();
    const name = page.getByLabel('Name of shape 2');
    expect(await name.getAttribute('aria-invalid')).toBe('true');
    // Moved by keys it comes back in.
    await name.focus();
    await board.focus();
    for (const key of [']', ']', ']', 'ArrowUp']) await page.keyboard.press(key);
    await fault(/lies outside/).waitFor({ state: 'detached' });
    await name.fill('  ');
    await name.press('Tab');
    await fault(/^Give it a name/).waitFor();
    expect(await button('Save').isDisabled()).toBe(true);
    await name.fill(LONG);
    await name.press('Tab');
    await fault(/name/).waitFor({ state: 'detached' });

    await button('Region').click();
    for (const [left, top] of [[0.6, 0.7], [0.9, 0.7]] as const) await page.mouse.click(...at(left, top)); // prettier-ignore
    await page.keyboard.press('Enter');
    await fault(/^A region needs at least 3 points, this has 2/).waitFor();
    expect(await button('Save').isDisabled()).toBe(true);
    await player.shoot('faults');
    await page.keyboard.press('Delete');
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: /^Remove Region of interest/ }).click();
    await page.getByRole('radio', { name: 'Points' }).press('ArrowRight');
    expect(await page.getByRole('radio', { name: 'Edges' }).isChecked()).toBe(true);
    await page.getByRole('radio', { name: 'Edges' }).press('ArrowLeft');
    await drag([0.1, 0.2], [0.45, 0.5]);
    await fault(/^The edges .* cross/).waitFor();
    expect(await button('Save').isDisabled()).toBe(true);
    await button('Undo').click();
    await button('Save').click();
    await page.getByText(/^Saved: 2 regions/).waitFor();
    expect((await saved()).map(({ label }) => label)).toEqual(['door', LONG]);
    expect(await player.layout()).toEqual({ wide: 0, nameless: [] });
    expect(player.faults).toEqual([]);
  }, 40_000);

  test('long names fit on a phone, and a camera without a pipeline says so', async () => {
    await page.setViewportSize({ width: 390, height: 844 });
    for (const name of [
      'cameras',
      `live//${LONG_CAMERA}`,
      `regions//${LONG_CAMERA}`,
      'configuration',
      'why',
      'models',
    ]) {
      await page.goto('about:blank');
      await player.open(name);
      await page.locator('h1').waitFor();
      if (name.includes(LONG_CAMERA)) await page.getByText('no pipeline looks at this camera').waitFor();
      if (name === 'cameras') await page.getByRole('article', { name: LONG_CAMERA }).waitFor();
      if (name === 'configuration') await page.getByText('azdaConfiguration').waitFor();
      expect({ name, ...(await player.layout()) }).toEqual({ name, wide: 0, nameless: [] });
    }
    expect(player.faults).toEqual([]);
  }, 40_000);
});

import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { describeWithBrowser, openBrowser } from './support/browser.ts';
import { PlayerAlone } from './support/player-alone.ts';
import { PlayerPage } from './support/player-page.ts';

const TOKEN = 'only-the-operator-knows-this';
const HOST = 'cameras.test';
const CAMERA_PASSWORD = 'c4mera-pass';
const DESIRED = {
  azdaConfiguration: {
    components: {
      sensors: [{ name: 'yard', endpoint: 'rtsp://10.0.0.8/two' }],
      deepStream: {
        pipelineConfigs: [{ id: 'People', primaryModelConfigPath: 'm.txt' }],
        streams: [{ name: 'yard', uname: 'root', password: CAMERA_PASSWORD, configId: 'People' }],
      },
    },
  },
};

/** Reached under a name that is not this machine's: everybody is asked who they are. */
describeWithBrowser('who comes to a Player that others reach', () => {
  let alone: PlayerAlone | undefined;
  let browser: Browser | undefined;
  let player: PlayerPage;
  let page: Page;
  /** All that the page was ever sent. */
  const received: string[] = [];

  beforeAll(async () => {
    alone = await PlayerAlone.start(DESIRED, () => ({ PLAYER_TOKEN: TOKEN, PLAYER_HOSTS: HOST }));
    browser = await openBrowser(HOST);
    player = await PlayerPage.start(browser, `http://${HOST}:${new URL(alone.url).port}`);
    page = player.page;
    page.on('response', (response) => void response.text().then((text) => received.push(text), () => undefined)); // prettier-ignore
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    await alone?.stop();
  }, 30_000);

  const logIn = async (token: string): Promise<void> => {
    await page.getByLabel('Token').fill(token);
    await page.getByRole('button', { name: 'Log in' }).click();
  };
  const status = (at: string): Promise<number> => page.evaluate(async (path) => (await fetch(path)).status, at);
  const kept = (): Promise<string> =>
    page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie]));

  test('who knows no token sees nothing but the question for it, and is told so plainly', async () => {
    await player.open('configuration');
    await page.getByRole('button', { name: 'Log in' }).waitFor();
    expect(await page.getByLabel('Token').evaluate((field) => field === document.activeElement)).toBe(true);
    expect(await page.getByRole('navigation').count()).toBe(0);
    expect(await player.layout()).toEqual({ wide: 0, nameless: [] });
    await player.shoot('login');
    for (const at of ['session', 'cameras', 'twin/controllermodule', 'clips', 'live/People/yard.jpg']) {
      expect(await status(`/api/${at}`)).toBe(401);
    }
    await logIn('the-wrong-token');
    await page.getByRole('alert').getByText('That is not the token.').waitFor();
    expect(await page.getByLabel('Token').getAttribute('aria-invalid')).toBe('true');
    expect(await page.context().cookies()).toEqual([]);
  }, 30_000);

  test('the right one lets in, to where one wanted to go, and is kept nowhere', async () => {
    await logIn(TOKEN);
    await page.getByRole('heading', { name: 'Configuration' }).waitFor();
    await page.getByText('azdaConfiguration').waitFor();
    await page.reload();
    await page.getByText('azdaConfiguration').waitFor();
    const cookies = await page.context().cookies();
    expect(cookies.find(({ name }) => name === 'vantage_session')).toMatchObject({
      httpOnly: true,
      sameSite: 'Strict',
    });
    const session = cookies.find(({ name }) => name === 'vantage_session')!.value;
    const all = [await page.content(), await kept(), ...received].join('\n');
    for (const secret of [TOKEN, session, CAMERA_PASSWORD]) expect(all).not.toContain(secret);
    expect(received.join()).toContain('•••');
  }, 30_000);

  test('changes need the word that only our own page knows', async () => {
    const ask = (headers: Record<string, string>): Promise<unknown> =>
      page.evaluate(async (own) => {
        const body = JSON.stringify({ patch: {} });
        const headers_ = { 'content-type': 'application/json', ...own };
        const response = await fetch('/api/twin/controllermodule/plan', { method: 'POST', headers: headers_, body });
        return ((await response.json()) as { code?: string }).code ?? response.status;
      }, headers);
    expect(await ask({})).toBe('CSRF_REFUSED');
    expect(await ask({ 'x-vantage-csrf': 'x'.repeat(43) })).toBe('CSRF_REFUSED');
    // The page itself knows it, also after it was loaded again.
    await page.getByRole('radio', { name: 'JSON' }).click();
    const area = page.getByLabel('Desired properties as JSON');
    await area.fill((await area.inputValue()).replace('10.0.0.8/two', '10.0.0.8/three'));
    await page.getByText('People/camera yard').waitFor();
    // A camera at another address would be sent the password of this one.
    await area.fill((await area.inputValue()).replace('10.0.0.8/three', '203.0.113.66/three'));
    await page
      .getByRole('alert')
      .getByText(/belongs to another address/)
      .waitFor();
    const marks = page.getByRole('listitem').filter({ hasText: 'type it again' });
    expect(await marks.count()).toBe(2);
    await player.shoot('secret');
    expect(await page.getByRole('button', { name: 'Apply' }).isDisabled()).toBe(true);
    await page.getByRole('button', { name: 'Discard' }).click();
  }, 30_000);

  test('who logs out is out, in all tabs and for good', async () => {
    const cookies = await page.context().cookies();
    await page.getByRole('button', { name: /^Log out/ }).click();
    await page.getByLabel('Token').waitFor();
    await player.open('cameras');
    await page.getByLabel('Token').waitFor();
    await page.context().addCookies(cookies);
    await page.reload();
    await page.getByLabel('Token').waitFor();
    expect(await status('/api/cameras')).toBe(401);
    expect(player.faults).toEqual([]);
  }, 30_000);
});

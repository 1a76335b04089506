import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { codeOf } from '@vantage/contracts';
import { WebSocket } from 'ws';
import { readSettings } from '../src/index.ts';
import { Bench, twinOf } from './support/bench.ts';
import { Browser } from './support/browser.ts';

let bench: Bench;

beforeAll(async () => {
  bench = await Bench.start();
});
afterAll(() => bench?.stop());

describe('who is let in', () => {
  test('no call of a stranger: CSRF, origin, DNS rebinding, sockets', async () => {
    const browser = await bench.open();
    const path_ = '/api/twin/controllermodule/plan';
    const body = { patch: {} };
    const code = async (headers: Record<string, string>): Promise<unknown> =>
      (await browser.ask(path_, { method: 'POST', body, headers })).json()['code'];
    expect(await code({})).toBe('CSRF_REFUSED');
    expect(await code({ 'x-vantage-csrf': 'x'.repeat(43) })).toBe('CSRF_REFUSED');
    expect(await code({ 'x-vantage-csrf': browser.csrf, origin: 'http://evil.example' })).toBe('ORIGIN_REFUSED');
    expect(await code({ 'x-vantage-csrf': browser.csrf })).toBeUndefined();
    const rebound = await browser.ask('/api/cameras', { headers: { host: `evil.example:${new URL(bench.url).port}` } });
    expect([rebound.status, rebound.json()['code']]).toEqual([421, 'HOST_REFUSED']);
    expect((await browser.ask('/', { headers: { host: 'evil.example' } })).status).toBe(421);
    const socket = new WebSocket(`${bench.url.replace('http', 'ws')}/api/live/People/street`, {
      origin: 'http://evil.example',
    });
    const status = await new Promise((resolve) =>
      socket
        .on('unexpected-response', (_request, response) => resolve(response.statusCode))
        .on('error', () => undefined),
    );
    expect(status).toBe(403);
  });

  test('with a token: only who has it, not too often, until the logout', async () => {
    const token = 'a-token-of-some-length';
    const base = await bench.startPlayer({ PLAYER_TOKEN: token });
    const browser = new Browser(base);
    for (const way of ['/api/session', '/api/cameras', '/%61pi/cameras', '/api/live/People/street.jpg']) {
      expect((await browser.ask(way)).status).toBe(401);
    }
    expect((await browser.ask('/api/login')).json()).toEqual({ token: true, proxy: false });
    const logIn = (text: string): ReturnType<Browser['ask']> =>
      browser.ask('/api/login', { method: 'POST', body: { token: text } });
    expect((await logIn('wrong')).status).toBe(401);
    const login = await logIn(token);
    expect(login.status).toBe(200);
    expect(login.headers['set-cookie']?.[0]).toMatch(/^vantage_session=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict$/);
    expect(login.text).not.toContain(token);
    expect((await browser.ask('/api/cameras')).status).toBe(200);
    const stolen = new Browser(base);
    stolen.cookies.set('vantage_session', browser.cookies.get('vantage_session')!);
    stolen.cookies.set('vantage_csrf', 'y'.repeat(43));
    expect((await stolen.change('POST', '/api/logout', {})).json()['code']).toBe('CSRF_REFUSED');
    const session = browser.cookies.get('vantage_session')!;
    expect((await browser.change('POST', '/api/logout', {})).status).toBe(204);
    browser.cookies.set('vantage_session', session);
    expect((await browser.ask('/api/cameras')).status).toBe(401);
    const statuses: number[] = [];
    for (let n = 0; n < 10; n += 1) statuses.push((await logIn('guess')).status);
    expect(statuses.at(-1)).toBe(429);
  });

  test('by the header of a proxy, and from nobody else', async () => {
    const headers = { 'x-user': 'ada', host: 'cameras.example' };
    const trusted = await bench.startPlayer({ PLAYER_OIDC_HEADER: 'X-User', PLAYER_HOSTS: 'cameras.example' });
    expect((await new Browser(trusted).ask('/api/session', { headers })).json()['user']).toBe('ada');
    expect((await new Browser(trusted).ask('/api/session')).status).toBe(401);
    const other = await bench.startPlayer({ PLAYER_OIDC_HEADER: 'X-User', PLAYER_PROXIES: '10.9.9.9' });
    expect((await new Browser(other).ask('/api/session', { headers: { 'x-user': 'ada' } })).status).toBe(401);
  });

  test('who only looks changes nothing', async () => {
    const browser = await bench.open(await bench.startPlayer({ PLAYER_READ_ONLY: '1' }));
    const { etag } = await twinOf(browser);
    expect((await browser.change('POST', '/api/twin/controllermodule', { patch: {}, etag })).json()['code']).toBe(
      'READ_ONLY',
    );
    expect((await browser.change('POST', '/api/twin/controllermodule/plan', { patch: {} })).status).toBe(200);
  });

  test.each([
    [{ PLAYER_HOST: '0.0.0.0' }, 'PLAYER_ACCESS_OPEN'],
    [{ PLAYER_HOSTS: 'cameras.example' }, 'PLAYER_ACCESS_OPEN'],
    [{ PLAYER_HOST: '0.0.0.0', PLAYER_TOKEN: 'short' }, 'PLAYER_SETTING_INVALID'],
    [{ PLAYER_PORT: '99999' }, 'PLAYER_SETTING_INVALID'],
    [{ PLAYER_PROXIES: 'gateway' }, 'PLAYER_SETTING_INVALID'],
  ])('%j does not start', (more, code) => {
    let thrown: unknown;
    try {
      readSettings(more);
    } catch (error) {
      thrown = error;
    }
    expect(codeOf(thrown)).toBe(code);
  });
});

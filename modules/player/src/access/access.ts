import { createHash, timingSafeEqual } from 'node:crypto';
import net from 'node:net';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ApiLogin } from '../api.ts';
import { csrfRefused, hostRefused, loginNeeded, loginWrong, originRefused, readOnly } from '../errors.ts';
import { isLoopback, type AccessSettings } from '../settings.ts';
import { isKnownHost, isOwnOrigin } from './hosts.ts';
import { Sessions, randomToken, type Session } from './sessions.ts';

export const SESSION_COOKIE = 'vantage_session';
export const CSRF_COOKIE = 'vantage_csrf';
const CSRF_HEADER = 'x-vantage-csrf';

/** Who asks, as far as the Player knows. */
export interface Visitor {
  readonly user: string;
  /** Only of those who logged in by the token. */
  readonly session?: Session;
}

const SAFE: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);
/** They have no login to speak of yet, or nothing to lose. */
const WITHOUT_LOGIN: ReadonlySet<string> = new Set(['/api/login']);

/** Decides by headers and cookies alone who may ask for what. */
export class Access {
  readonly #settings: AccessSettings;
  readonly #sessions = new Sessions();
  readonly #proxies = new net.BlockList();
  /** Everybody who reaches the Player is let in: it listens on loopback, and no login is set up. */
  readonly #isOpen: boolean;

  constructor(settings: AccessSettings) {
    this.#settings = settings;
    this.#isOpen = settings.token === undefined && settings.userHeader === undefined;
    for (const proxy of settings.proxies) addAddress(this.#proxies, proxy);
  }

  /** Before each request, upgrades to WebSocket included. @throws VantageError that says why not */
  check(request: FastifyRequest): void {
    const { host, origin } = request.headers;
    if (!isKnownHost(host, this.#settings, this.#isOpen)) throw hostRefused(host?.slice(0, 200) ?? 'nothing');
    // The route that was found, not the address that was written: `/%61pi/…` finds it as well.
    const path = request.routeOptions.url ?? '';
    const isChange = !SAFE.has(request.method);
    const isUpgrade = request.headers.upgrade !== undefined;
    if ((isChange || isUpgrade) && !isOwnOrigin(origin, host, this.#settings)) throw originRefused();
    if (!path.startsWith('/api/') || WITHOUT_LOGIN.has(path)) return;
    const visitor = this.visitor(request);
    if (!visitor) throw loginNeeded();
    if (!isChange) return;
    this.#checkCsrf(request, visitor);
    if (this.#settings.readOnly && path !== '/api/logout' && !path.endsWith('/plan')) throw readOnly();
  }

  visitor(request: FastifyRequest): Visitor | undefined {
    if (this.#isOpen) return { user: 'local' };
    const { userHeader } = this.#settings;
    if (userHeader !== undefined && this.#isProxy(request)) {
      const user = request.headers[userHeader];
      if (typeof user === 'string' && user.trim() !== '') return { user: user.trim().slice(0, 200) };
    }
    const session = this.#sessions.use(request.cookies[SESSION_COOKIE] ?? '');
    return session ? { user: session.user, session } : undefined;
  }

  /** @throws VantageError LOGIN_WRONG */
  logIn(token: unknown, request: FastifyRequest, reply: FastifyReply): Visitor {
    const expected = this.#settings.token;
    if (typeof token !== 'string' || expected === undefined || !isSame(token, expected)) throw loginWrong();
    const session = this.#sessions.open('operator');
    setCookie(reply, request, SESSION_COOKIE, session.id, true);
    setCookie(reply, request, CSRF_COOKIE, session.csrf, false);
    return { user: session.user, session };
  }

  logOut(request: FastifyRequest, reply: FastifyReply): void {
    this.#sessions.close(request.cookies[SESSION_COOKIE] ?? '');
    reply.clearCookie(SESSION_COOKIE, { path: '/' }).clearCookie(CSRF_COOKIE, { path: '/' });
  }

  /** The value that changes have to bring along; a browser without one gets one. */
  csrf(request: FastifyRequest, reply: FastifyReply, visitor: Visitor): string {
    const known = request.cookies[CSRF_COOKIE];
    if (visitor.session) return visitor.session.csrf;
    if (known !== undefined && /^[\w-]{43}$/.test(known)) return known;
    const csrf = randomToken();
    setCookie(reply, request, CSRF_COOKIE, csrf, false);
    return csrf;
  }

  get ways(): ApiLogin {
    return { token: this.#settings.token !== undefined, proxy: this.#settings.userHeader !== undefined };
  }

  get readOnly(): boolean {
    return this.#settings.readOnly;
  }

  #checkCsrf(request: FastifyRequest, { session }: Visitor): void {
    const header = request.headers[CSRF_HEADER];
    const cookie = request.cookies[CSRF_COOKIE];
    if (typeof header !== 'string' || header === '' || cookie === undefined || !isSame(header, cookie))
      throw csrfRefused();
    if (session && !isSame(header, session.csrf)) throw csrfRefused();
  }

  /** By the address of the connection itself: what a header says of it can be made up. */
  #isProxy({ socket: { remoteAddress = '' } }: FastifyRequest): boolean {
    const address = remoteAddress.replace(/^::ffff:/, '');
    return net.isIP(address) !== 0 && this.#proxies.check(address, net.isIPv6(address) ? 'ipv6' : 'ipv4');
  }
}

function addAddress(list: net.BlockList, text: string): void {
  const [address = '', bits] = text.split('/');
  const family = net.isIPv6(address) ? 'ipv6' : 'ipv4';
  if (bits === undefined) list.addAddress(address, family);
  else list.addSubnet(address, Number(bits), family);
}

/** Takes the same time wherever two texts differ first, and whatever their lengths. */
function isSame(a: string, b: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}

function setCookie(reply: FastifyReply, request: FastifyRequest, name: string, value: string, httpOnly: boolean): void {
  // On loopback there is no TLS, and a cookie marked so would not be sent back.
  const secure = request.protocol === 'https' && !isLoopback(request.hostname);
  reply.setCookie(name, value, { path: '/', sameSite: 'strict', httpOnly, secure });
}

import { signal } from '@preact/signals';

/** Where the page is: `#/live/People/gate?at=…` is page `live` with two names. */
export interface Route {
  readonly page: string;
  readonly names: readonly string[];
  readonly query: Readonly<Record<string, string>>;
}

export function parseRoute(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?');
  const [page = '', ...names] = path.split('/').map(decode);
  return { page: page === '' ? 'cameras' : page, names, query: Object.fromEntries(new URLSearchParams(query)) };
}

export function href(
  page: string,
  names: readonly string[] = [],
  query: Readonly<Record<string, string>> = {},
): string {
  const search = new URLSearchParams(query).toString();
  return `#/${[page, ...names].map(encodeURIComponent).join('/')}${search === '' ? '' : `?${search}`}`;
}

export const route = signal<Route>(parseRoute(''));

/** What asks before a page with unsaved work is left; set by that page. */
export const leaveGuard: { ask: (() => boolean) | undefined } = { ask: undefined };

let current = '';

/** Follows the address. Call once. */
export function startRouter(): void {
  const follow = (): void => {
    if (location.hash === current) return;
    if (leaveGuard.ask && !leaveGuard.ask()) {
      history.replaceState(null, '', current === '' ? '#/' : current);
      return;
    }
    leaveGuard.ask = undefined;
    current = location.hash;
    route.value = parseRoute(location.hash);
  };
  window.addEventListener('hashchange', follow);
  current = location.hash;
  route.value = parseRoute(location.hash);
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

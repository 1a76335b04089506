import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { api, offline, session } from './api.ts';
import { CamerasPage } from './pages/cameras.tsx';
import { ClipsPage } from './pages/clips.tsx';
import { ConfigurationPage } from './pages/configuration.tsx';
import { HealthPage } from './pages/health.tsx';
import { LivePage } from './pages/live.tsx';
import { LoginPage } from './pages/login.tsx';
import { ModelsPage } from './pages/models.tsx';
import { RegionsPage } from './pages/regions.tsx';
import { WhyPage } from './pages/why.tsx';
import { href, route } from './router.ts';
import { nextTheme, theme } from './theme.ts';
import { Icon, Mark, type IconName } from './ui/icons.tsx';
import { News } from './ui/parts.tsx';

interface PageEntry {
  readonly id: IconName;
  readonly name: string;
  /** Where there is little room. */
  readonly short?: string;
  readonly page: () => JSX.Element;
}

const PAGES: readonly PageEntry[] = [
  { id: 'cameras', name: 'Cameras', page: CamerasPage },
  { id: 'live', name: 'Live', page: LivePage },
  { id: 'clips', name: 'Clips', page: ClipsPage },
  { id: 'regions', name: 'Regions', page: RegionsPage },
  { id: 'configuration', name: 'Configuration', short: 'Config', page: ConfigurationPage },
  { id: 'models', name: 'Models', page: ModelsPage },
  { id: 'health', name: 'Health', page: HealthPage },
  { id: 'why', name: 'Why', page: WhyPage },
];

const RETRY_MS = 3000;

export function App(): JSX.Element {
  const user = session.value;
  useEffect(() => {
    if (user !== undefined) return;
    let timer: number | undefined;
    const ask = (): void => {
      api.session().catch(() => (timer = window.setTimeout(ask, RETRY_MS)));
    };
    ask();
    return () => window.clearTimeout(timer);
  }, [user]);
  if (user === null) return <LoginPage />;
  if (user === undefined) return <p class="starting">{offline.value ?? 'Loading …'}</p>;
  return <Shell />;
}

function Shell(): JSX.Element {
  const { page, names } = route.value;
  const shown = PAGES.find(({ id }) => id === page) ?? PAGES[0];
  const main = useRef<HTMLElement>(null);
  const first = useRef(true);
  useEffect(() => {
    document.title = shown ? `${shown.name} · Vantage` : 'Vantage';
    // A reader that follows a link hears where it is, not the navigation again.
    if (!first.current) main.current?.querySelector('h1')?.focus({ preventScroll: true });
    first.current = false;
    window.scrollTo(0, 0);
  }, [shown]);
  const Page = shown?.page ?? CamerasPage;
  // Links keep the camera that one is looking at.
  const camera = ['live', 'regions', 'why'].includes(page) ? names : [];
  return (
    <div class="shell">
      <a class="skip" href="#main" onClick={(event) => (event.preventDefault(), main.current?.focus())}>
        Skip to content
      </a>
      <nav class="nav" aria-label="Pages">
        <a class="brand" href={href('cameras')} aria-label="Vantage, start">
          <Mark />
          <span>Vantage</span>
        </a>
        <ul>
          {PAGES.map(({ id, name, short }) => (
            <li key={id}>
              <a
                href={href(id, ['live', 'regions', 'why'].includes(id) ? camera : [])}
                aria-current={id === shown?.id ? 'page' : undefined}
              >
                <Icon name={id} />
                <span class={short === undefined ? '' : 'long-name'}>{name}</span>
                {short !== undefined && (
                  <span class="short-name" aria-hidden="true">
                    {short}
                  </span>
                )}
              </a>
            </li>
          ))}
        </ul>
        <Where />
      </nav>
      <main class="main" id="main" ref={main} tabIndex={-1}>
        {offline.value && <p class="offline">{offline.value} Trying again …</p>}
        <Page key={shown?.id} />
      </main>
      <News />
    </div>
  );
}

function Where(): JSX.Element {
  const user = session.value;
  const look = { auto: 'As the system', light: 'Light', dark: 'Dark' }[theme.value];
  return (
    <div class="where">
      {user && (
        <p>
          <strong>{user.hub.device ?? 'no device'}</strong>
          <small>{user.hub.name}</small>
          {user.readOnly && <small>read only</small>}
        </p>
      )}
      <button type="button" class="quiet" onClick={nextTheme}>
        <Icon name="sun" size={16} />
        <span class="where-word">{look}</span>
        <span class="hidden-text">: colours, change</span>
      </button>
      {user?.canLogOut && (
        <button type="button" class="quiet" onClick={() => void logOut()}>
          <Icon name="leave" size={16} />
          <span class="where-word">Log out</span>
          <span class="hidden-text"> {user.user}</span>
        </button>
      )}
    </div>
  );
}

async function logOut(): Promise<void> {
  await api.logout().catch(() => undefined);
  session.value = null;
}

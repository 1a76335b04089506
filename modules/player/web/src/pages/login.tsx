import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { api, offline, reasonOf } from '../api.ts';
import { Notice } from '../ui/parts.tsx';
import { useLoaded } from '../ui/use.ts';
import { Mark } from '../ui/icons.tsx';

export function LoginPage(): JSX.Element {
  const { value: ways } = useLoaded(api.ways, []);
  useEffect(() => void (document.title = 'Log in · Vantage'), []);
  return (
    <main class="login">
      <div class="card">
        <h1>
          <Mark /> Vantage
        </h1>
        {offline.value && <Notice>{offline.value}</Notice>}
        {ways?.token === false ? (
          <p>
            Nobody is logged in. This Player is reached through a proxy that logs people in: open it under the address
            of that proxy.
          </p>
        ) : (
          <TokenForm />
        )}
      </div>
    </main>
  );
}

function TokenForm(): JSX.Element {
  const [token, setToken] = useState('');
  const [error, setError] = useState<string>();
  const [busy, setBusy] = useState(false);
  const field = useRef<HTMLInputElement>(null);
  const logIn = async (): Promise<void> => {
    setBusy(true);
    setError(undefined);
    try {
      await api.login(token);
      await api.session();
    } catch (fault) {
      setError(reasonOf(fault));
      setBusy(false);
      field.current?.select();
    }
  };
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        void logIn();
      }}
    >
      <label class="field">
        <span>Token</span>
        <input
          ref={field}
          type="password"
          autocomplete="current-password"
          value={token}
          aria-invalid={error !== undefined}
          aria-describedby="login-hint"
          onInput={(event) => setToken(event.currentTarget.value)}
          required
          autofocus
        />
        <small class="dim" id="login-hint">
          The one that this Player was started with (<code>PLAYER_TOKEN</code>).
        </small>
      </label>
      {error && <Notice>{error}</Notice>}
      <button type="submit" class="primary" disabled={busy}>
        {busy ? 'Asking …' : 'Log in'}
      </button>
    </form>
  );
}

import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { api, reasonOf } from '../api.ts';
import { Notice } from '../ui/parts.tsx';

export function LoginPage(): JSX.Element {
  const [token, setToken] = useState('');
  const [error, setError] = useState<string>();
  const [busy, setBusy] = useState(false);
  const logIn = async (): Promise<void> => {
    setBusy(true);
    try {
      await api.login(token);
      await api.session();
    } catch (fault) {
      setError(reasonOf(fault));
    }
    setBusy(false);
  };
  return (
    <main class="login">
      <form
        class="card"
        onSubmit={(event) => {
          event.preventDefault();
          void logIn();
        }}
      >
        <h1>Vantage</h1>
        <p class="dim">This Player asks for its token: the one it was started with (PLAYER_TOKEN).</p>
        <label class="field">
          <span>Token</span>
          <input
            type="password"
            autocomplete="current-password"
            value={token}
            onInput={(event) => setToken(event.currentTarget.value)}
            required
            autofocus
          />
        </label>
        {error && <Notice>{error}</Notice>}
        <button type="submit" class="primary" disabled={busy}>
          {busy ? 'Asking …' : 'Log in'}
        </button>
      </form>
    </main>
  );
}

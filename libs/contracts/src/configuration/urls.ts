import type { Stream } from './types.ts';

const SECRET_QUERY = /([?&;][^=&;#]*(?:sig|token|key|pass|pwd|secret|auth|user|login)[^=&;#]*=)[^&;#]*/gi;

/**
 * The URL with its user, its password and secret-looking query values replaced by `***`, fit for a log. Any text is
 * accepted. A password with an unescaped `/` is caught too: better to hide too much than too little.
 */
export function redactUrl(url: string): string {
  const hidden = url.replace(SECRET_QUERY, '$1***');
  const start = hidden.indexOf('://');
  const from = start === -1 ? 0 : start + 3;
  const rest = hidden.slice(from);
  const authority = /^[^/?#]*/.exec(rest)?.[0] ?? '';
  const looksCut = /:(?!\d*$)/.test(authority) && !authority.startsWith('[');
  const scope = authority.includes('@') ? authority : looksCut ? rest : '';
  const at = scope.lastIndexOf('@');
  return at === -1 ? hidden : `${hidden.slice(0, from)}***${rest.slice(at)}`;
}

/** The text with every URL in it redacted: for output of tools that quote their command line. */
export function redactUrlsIn(text: string): string {
  return text.replace(/[a-z][a-z0-9+.-]*:\/\/[^\s"'<>]+/gi, (url) => redactUrl(url));
}

/**
 * The endpoint of a stream with its credentials as user info, percent-encoded; credentials of the stream replace those
 * in the endpoint. The answer is secret: hand it to the decoder, never to a log or a report.
 */
export function streamUri(stream: Stream): string {
  const { endpoint } = stream.sensor;
  if (stream.credentials === undefined) return endpoint;
  const match = /^([a-z][a-z0-9+.-]*:\/\/)(?:[^/?#]*@)?(.*)$/is.exec(endpoint);
  if (match === null || stream.sensor.sourceKind === 'file') return endpoint;
  const { username, password } = stream.credentials;
  const userInfo = [username, ...(password === '' ? [] : [password])].map(encodeURIComponent).join(':');
  return `${match[1] ?? ''}${userInfo}@${match[2] ?? ''}`;
}

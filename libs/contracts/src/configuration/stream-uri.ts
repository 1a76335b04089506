import type { Stream } from './types.ts';

/**
 * The endpoint of a stream with its credentials as user info, percent-encoded; credentials of the stream replace those
 * in the endpoint. The answer is secret: hand it to the decoder, never to a log or a report.
 */
export function streamUri(stream: Pick<Stream, 'sensor' | 'credentials'>): string {
  const { endpoint } = stream.sensor;
  if (stream.credentials === undefined) return endpoint;
  const match = /^([a-z][a-z0-9+.-]*:\/\/)(?:[^/?#]*@)?(.*)$/is.exec(endpoint);
  if (match === null || stream.sensor.sourceKind === 'file') return endpoint;
  const { username, password } = stream.credentials;
  const userInfo = [username, ...(password === '' ? [] : [password])].map(encodeURIComponent).join(':');
  return `${match[1] ?? ''}${userInfo}@${match[2] ?? ''}`;
}

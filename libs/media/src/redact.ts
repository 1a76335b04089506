import { redact } from '@vantage/observability';

/**
 * `text` without credentials, given the URL it is about: that URL's literal user and password go wherever they
 * appear (ffmpeg also prints them apart from the URL), then everything that looks like a credential.
 */
export function redactSource(text: string, url: string): string {
  let clean = text;
  const userInfo = /^[a-z][a-z0-9+.-]*:\/\/(.*)@/i.exec(url)?.[1];
  if (userInfo !== undefined && userInfo.length > 0) {
    clean = clean.replaceAll(userInfo, '***');
    const password = userInfo.slice(userInfo.indexOf(':') + 1);
    if (userInfo.includes(':') && password.length >= 4) clean = clean.replaceAll(password, '***');
  }
  return redact(clean);
}

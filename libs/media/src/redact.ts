/** Takes credentials out of text that is logged, reported or thrown. */

const USER_INFO = /\b([a-z][a-z0-9+.-]*:\/\/)[^\s/?#'"]*@/gi;
const SECRET_PARAMETER = /([?&](?:[^=&\s]*(?:token|key|sig|secret|pass|pwd|auth|user)[^=&\s]*)=)[^&\s'"]+/gi;

/**
 * Replaces `user:password@` and secret-looking query values of every URL in `text` by `***`.
 * `known` is the URL the text is about: its literal user and password are replaced wherever they appear, which also
 * covers passwords with characters that would end a URL.
 */
export function redact(text: string, known?: string): string {
  let clean = text;
  if (known !== undefined) {
    const userInfo = /^[a-z][a-z0-9+.-]*:\/\/(.*)@/i.exec(known)?.[1];
    if (userInfo !== undefined && userInfo.length > 0) {
      clean = clean.replaceAll(userInfo, '***');
      const password = userInfo.slice(userInfo.indexOf(':') + 1);
      if (userInfo.includes(':') && password.length >= 4) clean = clean.replaceAll(password, '***');
    }
  }
  return clean.replace(USER_INFO, '$1***@').replace(SECRET_PARAMETER, '$1***');
}

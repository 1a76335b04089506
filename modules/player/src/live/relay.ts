import { WebSocket, type RawData } from 'ws';

/** Beyond this much on its way to the browser the ai-pipeline is read no further: it then skips to a key frame itself. */
const MAX_WAITING_BYTES = 1024 * 1024;
const OPEN_MS = 5000;
const MAX_MESSAGE_BYTES = 32 * 1024 * 1024;
/** RFC 6455: going away; what the codec of the camera cannot do; try again later. */
const CODES = { ended: 1001, unsupported: 1003, unavailable: 1013 } as const;

/** Passes a live stream on, message by message, no faster than the browser takes it. Ends with either side. */
export function relay(browser: WebSocket, url: URL): void {
  const upstream = new WebSocket(url, {
    handshakeTimeout: OPEN_MS,
    maxPayload: MAX_MESSAGE_BYTES,
    perMessageDeflate: false,
  });
  const resume = (): void => {
    if (upstream.isPaused && browser.bufferedAmount < MAX_WAITING_BYTES) upstream.resume();
  };
  upstream.on('message', (data: RawData, isBinary) => {
    if (browser.readyState !== WebSocket.OPEN) return;
    browser.send(data as Buffer, { binary: isBinary }, resume);
    if (browser.bufferedAmount > MAX_WAITING_BYTES) upstream.pause();
  });
  upstream.on('unexpected-response', (_request, response) => {
    browser.close(CODES.unavailable, `the ai-pipeline answered ${response.statusCode ?? 0}`);
    upstream.terminate();
  });
  upstream.on('error', () => browser.close(CODES.unavailable, 'the ai-pipeline does not answer'));
  upstream.on('close', (code) => {
    if (code === CODES.unsupported) browser.close(code, 'the codec of this camera cannot be shown this way');
    else browser.close(CODES.ended, 'the camera ended');
  });
  // What a browser says is for the ai-pipeline's ears as well, such as a wish for the newest key frame.
  browser.on('message', (data: RawData, isBinary) => {
    if (upstream.readyState === WebSocket.OPEN) upstream.send(data as Buffer, { binary: isBinary });
  });
  browser.on('close', () => upstream.terminate());
  browser.on('error', () => upstream.terminate());
}

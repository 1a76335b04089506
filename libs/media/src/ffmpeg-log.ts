import { redactSource } from './redact.ts';

const MAX_LINE_CHARS = 2000;
const MAX_ERROR_LINES = 12;
const MAX_REASON_CHARS = 300;

/** What ffmpeg's log says about the first video stream of its input. */
export interface SourceInfo {
  readonly codec: string;
  readonly width: number;
  readonly height: number;
  /** Frames per second as ffmpeg estimates it; 0 when it does not know. */
  readonly fps: number;
  /** False for a source without an end (a camera, an endless HTTP stream). */
  readonly hasDuration: boolean;
}

/**
 * Reads ffmpeg's log (`-loglevel level+info`) from its standard error: finds the description of the stream, keeps the
 * last few errors, and nothing else.
 */
export class FfmpegLog {
  info: SourceInfo | undefined;
  readonly #url: string;
  readonly #errors: string[] = [];
  #partial = '';
  #hasDuration = false;
  #inOutputs = false;

  constructor(url: string) {
    this.#url = url;
  }

  push(text: string): void {
    const lines = (this.#partial + text).split(/[\r\n]+/);
    this.#partial = (lines.pop() ?? '').slice(0, MAX_LINE_CHARS);
    for (const line of lines) this.#line(line.slice(0, MAX_LINE_CHARS));
  }

  /** The most telling error line, without credentials; undefined when there was none. */
  reason(): string | undefined {
    if (this.#partial !== '') this.#line(this.#partial);
    this.#partial = '';
    return this.#errors.at(-1);
  }

  #line(line: string): void {
    if (/^\[info\]/.test(line)) {
      if (/^\[info\] Output #/.test(line)) this.#inOutputs = true;
      if (!this.#inOutputs) this.#readInput(line);
      return;
    }
    if (!/\[(?:error|fatal|panic)\]/.test(line)) return;
    const message = line.replace(/^(?:\[[^\]]*\]\s*)+/, '').trim();
    // The last line is often only this echo of the real reason before it.
    if (message === '' || /^(?:Conversion failed|Error opening (?:input|output) files?)/.test(message)) return;
    // That is about our own command line, and tells the owner of a text or sound file nothing.
    const said = /^Stream map '.*' matches no streams/.test(message) ? 'it holds no video' : message;
    this.#errors.push(redactSource(said, this.#url).slice(0, MAX_REASON_CHARS));
    if (this.#errors.length > MAX_ERROR_LINES) this.#errors.shift();
  }

  #readInput(line: string): void {
    if (/^\[info\]\s+Duration: \d/.test(line)) this.#hasDuration = true;
    if (this.info !== undefined || line.includes('(attached pic)')) return;
    const video = /Stream #0:\d+.*?: Video: (\w+).*?, (\d{2,5})x(\d{2,5})(?=[\s,]|$)/.exec(line);
    if (video === null) return;
    const fps = /, ([\d.]+)(k?) fps/.exec(line) ?? /, ([\d.]+)(k?) tbr/.exec(line);
    this.info = {
      codec: video[1] ?? 'unknown',
      width: Number(video[2]),
      height: Number(video[3]),
      fps: fps === null ? 0 : Number(fps[1]) * (fps[2] === 'k' ? 1000 : 1),
      hasDuration: this.#hasDuration,
    };
  }
}

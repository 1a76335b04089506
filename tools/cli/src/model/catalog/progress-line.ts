/** How far a download is: a line that redraws itself in a terminal, a line at the end elsewhere. */
export class ProgressLine {
  readonly #what: string;
  readonly #stream: NodeJS.WriteStream;
  #shownAtMs = 0;

  constructor(what: string, stream: NodeJS.WriteStream) {
    this.#what = what;
    this.#stream = stream;
  }

  show(doneBytes: number, totalBytes: number): void {
    if (!this.#stream.isTTY) return;
    const now = performance.now();
    if (now - this.#shownAtMs < 100 && doneBytes < totalBytes) return;
    this.#shownAtMs = now;
    const percent = Math.floor((100 * doneBytes) / totalBytes);
    this.#redraw(`${this.#what}  ${percent} %  ${mib(doneBytes)} of ${mib(totalBytes)} MiB`);
  }

  note(text: string): void {
    this.#redraw('');
    this.#stream.write(`${this.#what}: ${text}\n`);
  }

  /** @param outcome empty: nothing is said, an error follows */
  end(outcome: string): void {
    this.#redraw('');
    if (outcome !== '') this.#stream.write(`${this.#what} ${outcome}\n`);
  }

  #redraw(text: string): void {
    if (this.#stream.isTTY) this.#stream.write(`\r\u001b[2K${text}`);
  }
}

function mib(bytes: number): string {
  return (bytes / 1024 ** 2).toFixed(1);
}

/** Where an export sends its documents. Holds nothing between two of them but a connection. */
export interface ExportSink {
  /** For people: never holds a credential. */
  readonly target: string;
  /** Why it cannot be reached at the moment; absent where that shows only when something is sent. */
  readonly problem?: string | undefined;
  /** The largest document that can be sent, bytes. */
  readonly maxBytes: number;
  /**
   * Resolves when the document has arrived. May wait for a connection.
   *
   * @throws Error with a reason that holds no credential; an aborted signal ends it at once
   */
  send(document: string, signal: AbortSignal): Promise<void>;
  stop?(): Promise<void>;
}

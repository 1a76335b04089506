export interface Window {
  /** First row that is drawn. */
  readonly first: number;
  /** First row behind those that are drawn. */
  readonly end: number;
  /** Height of what is not drawn above. */
  readonly above: number;
  /** Height of all rows. */
  readonly height: number;
}

/** The rows of a long list that can be seen, and some around them, so that scrolling shows no holes. Pixels. */
export function rowsInView(count: number, rowHeight: number, top: number, viewHeight: number, spare = 8): Window {
  const first = Math.max(0, Math.min(count, Math.floor(top / rowHeight)) - spare);
  const end = Math.min(count, Math.ceil((Math.max(0, top) + viewHeight) / rowHeight) + spare);
  return { first, end: Math.max(first, end), above: first * rowHeight, height: count * rowHeight };
}

const MAX_QUOTED_CHARS = 40;

/** A name in quotes: shortened, and without characters that could forge a log line. */
export function quote(name: string, maxChars = MAX_QUOTED_CHARS): string {
  const clean = name.replace(/[\u0000-\u001F\u007F-\u009F\u2028\u2029]/g, '?');
  return clean.length <= maxChars ? `"${clean}"` : `"${clean.slice(0, maxChars)}…"`;
}

/** The candidate a person most likely meant, or undefined when none is near. Case does not count. */
export function closest(word: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(word.length / 3)) + 1;
  const wanted = word.slice(0, 128).toLowerCase();
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - wanted.length) >= bestDistance) continue;
    const distance = editDistance(wanted, candidate.toLowerCase());
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** ` Did you mean "x"?`, or a list of what there is, or that there is nothing. */
export function suggestion(word: string, candidates: readonly string[]): string {
  const similar = closest(word, candidates);
  if (similar !== undefined) return `Did you mean ${quote(similar)}?`;
  if (candidates.length === 0) return 'There is none.';
  const listed = candidates.slice(0, 5).map((name) => quote(name));
  return `There ${candidates.length === 1 ? 'is' : 'are'}: ${listed.join(', ')}${candidates.length > 5 ? ', …' : ''}.`;
}

/** Levenshtein: insertions, deletions and replacements of one character. */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 0; i < a.length; i += 1) {
    const current = [i + 1];
    for (let j = 0; j < b.length; j += 1) {
      const replaced = (previous[j] ?? 0) + (a[i] === b[j] ? 0 : 1);
      current.push(Math.min(replaced, (previous[j + 1] ?? 0) + 1, (current[j] ?? 0) + 1));
    }
    previous = current;
  }
  return previous[b.length] ?? 0;
}

import { closest } from '@vantage/contracts';

/** `; did you mean 'x'?` for the word that is likely meant, or nothing. For the end of a message. */
export function didYouMean(word: string, known: Iterable<string>): string {
  const meant = closest(word, known);
  return meant === undefined ? '' : `; did you mean '${meant}'?`;
}

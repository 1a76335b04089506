import { findNodeAtLocation, parseTree } from 'jsonc-parser';
import type { ExpandedText } from '../env.ts';
import type { JsonPath } from './problem.ts';

/** From 1. */
export interface TextPosition {
  readonly line: number;
  readonly column: number;
}

/**
 * Finds where in a template something stands. What the template does not have itself (a key of the generated manifest)
 * is where the nearest thing around it is.
 *
 * @param template as written
 * @param expanded the same text with its variables put in
 */
export function locator(template: string, expanded: ExpandedText): (path: JsonPath) => TextPosition {
  const root = parseTree(expanded.text);
  return (path) => {
    for (let length = path.length; root && length >= 0; length -= 1) {
      const node = findNodeAtLocation(root, [...path.slice(0, length)]);
      // The key stands before its value.
      if (node) return positionOf(template, expanded.originOf((length > 0 ? propertyOf(node) : node).offset));
    }
    return { line: 1, column: 1 };
  };
}

type Node = NonNullable<ReturnType<typeof findNodeAtLocation>>;

function propertyOf(node: Node): Node {
  return node.parent?.type === 'property' ? node.parent : node;
}

export function positionOf(text: string, offset: number): TextPosition {
  const before = text.slice(0, offset);
  const lineStart = before.lastIndexOf('\n') + 1;
  return { line: before.split('\n').length, column: offset - lineStart + 1 };
}

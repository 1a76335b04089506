import { registerHooks } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { CustomNode } from '@vantage/custom-node';
import type { JsonObject } from '@vantage/contracts';

/** What a node's constructor gets besides its settings. */
type NodeClass = new (settings: JsonObject) => CustomNode;

/**
 * Lets the code of a node import our packages though its folder has none: what cannot be found from there is looked for
 * from here. The class `CustomNode` is then the same one.
 */
function resolveOurPackages(): void {
  registerHooks({
    resolve(specifier, context, nextResolve) {
      if (!specifier.startsWith('@vantage/')) return nextResolve(specifier, context);
      return nextResolve(specifier, { ...context, parentURL: import.meta.url });
    },
  });
}

/**
 * Imports a file and makes its node: an exported `node`, or the exported class that extends `CustomNode`.
 *
 * @throws Error that says what the file should export, or what its code throws
 */
export async function loadNode(file: string, settings: JsonObject): Promise<CustomNode> {
  resolveOurPackages();
  const imported = (await import(pathToFileURL(file).href)) as Record<string, unknown>;
  const { default: other, ...named } = imported;
  // A CommonJS file's exports are its default export.
  const exports: Record<string, unknown> = { ...(isRecord(other) ? other : { default: other }), ...named };
  if (isNode(exports['node'])) return exports['node'];
  const classes = [...new Set(Object.values(exports).filter(isNodeClass))];
  const [found] = classes;
  if (found !== undefined && classes.length === 1) return new found(settings);
  const nodes = [...new Set(Object.values(exports).filter(isNode))];
  const [made] = nodes;
  if (made !== undefined && classes.length === 0 && nodes.length === 1) return made;
  const has = Object.keys(exports).filter((name) => exports[name] !== undefined);
  throw new Error(
    `${path.basename(file)} has to export one class that extends CustomNode, or a node named "node"; ` +
      (classes.length > 1
        ? `it exports ${classes.length} such classes`
        : `it exports ${has.length === 0 ? 'nothing' : has.join(', ')}`),
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !(value instanceof CustomNode);
}

function isNodeClass(value: unknown): value is NodeClass {
  return typeof value === 'function' && value.prototype instanceof CustomNode;
}

function isNode(value: unknown): value is CustomNode {
  return value instanceof CustomNode;
}

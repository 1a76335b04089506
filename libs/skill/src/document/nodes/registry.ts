import { http, iotEdge, iotHub, mqtt, snippet, window } from './exports.ts';
import { grpc } from './grpc.ts';
import { model } from './model.ts';
import type { NodeType } from './node-type.ts';
import { rtsp } from './source.ts';
import { counter, filter, lineCrossing, speed, tracker, zone } from './transforms.ts';

/** Every type of node there is, in the order of contract B; ours stand behind those of the reference. */
export const NODE_TYPES: readonly NodeType[] = [
  rtsp,
  model,
  filter,
  grpc,
  tracker,
  zone,
  lineCrossing,
  counter,
  speed,
  snippet,
  iotHub,
  iotEdge,
  http,
  mqtt,
  window,
];

const GROUPS: readonly string[] = ['source', 'model', 'transform', 'export'] satisfies NodeType['type'][];

/** The type of a node, or which of its two words is unknown. Models have names of their own. */
export function typeOf(node: {
  readonly type: string;
  readonly name: string;
}): NodeType | 'unknownType' | 'unknownName' {
  if (!GROUPS.includes(node.type)) return 'unknownType';
  const found = NODE_TYPES.find(({ type, name }) => type === node.type && (name === undefined || name === node.name));
  return found ?? 'unknownName';
}

/** Names of a group, for hints. */
export function namesOf(group: string): readonly string[] {
  return NODE_TYPES.flatMap(({ type, name }) => (type === group && name !== undefined ? [name] : []));
}

export { CustomNodeHost, type CustomNodeHostOptions } from './custom-node-host.ts';
export { HostedNode, type HostedNodeOptions } from './supervisor/hosted-node.ts';
export type { NodeProblem, NodeState, NodeStatus } from './supervisor/status.ts';
export type { Language, NodeDefinition, NodeSource } from './twin/definition.ts';
export { readHostTwin, type HostTwin } from './twin/read-twin.ts';
export { NODE_DEFAULTS } from './twin/schema.ts';

export { DEFAULT_STATE, findHub, type HubChoice } from './find-hub.ts';
export { desiredOf, requireTwinSize } from './desired.ts';
export { History, twinHistory, type Past } from './history.ts';
export { Hub, twinChanged, type HubConfiguration, type MethodAnswer, type ModulesContent, type Twin } from './hub.ts';
export { readConnection, writeConnection, type LocalConnection } from './local-connection.ts';

export { DEFAULT_STATE, findHub, type HubChoice } from './find-hub.ts';
export { desiredOf, requireTwinSize } from './desired.ts';
export { History, twinHistory, type Past } from './history.ts';
export { Hub, twinChanged, type HubConfiguration, type MethodAnswer, type ModulesContent, type Twin } from './hub.ts';
export { keepLarge, newValues, planKeeping, storeUnknown, type KeepPlan, type KeptValue } from './large/keep-large.ts';
export { SignedBlobs, hasAccountKey } from './large/signed-blobs.ts';
export { TwinValues, type ValueAccount } from './large/twin-values.ts';
export { readWhole, type WholeTwin } from './large/whole-twin.ts';
export { readConnection, writeConnection, type LocalConnection } from './local-connection.ts';

export { VantageError, codeOf, messageOf, type VantageErrorOptions } from './errors.ts';
export { diffTwin, isTwinObject, mergeTwin, twinEquals, type MergeTwinOptions, type TwinObject } from './twin-merge.ts';

export { VantageError, codeOf, messageOf, type VantageErrorOptions } from './errors.ts';

import type { VantageError } from '@vantage/contracts';
import { twinPatchInvalid } from '../errors.ts';

const MAX_DEPTH = 10;
const MAX_NAME_BYTES = 1024;
const MAX_VALUE_BYTES = 4096;
const MAX_PATCH_BYTES = 32_768;
/** IoT Hub's limits for the whole of a section, as its documentation of device twins gives them. */
const MAX_SECTION_BYTES = { desired: 32_768, reported: 32_768, tags: 8192 } as const;
const MIN_INTEGER = -4_503_599_627_370_496;
const MAX_INTEGER = 4_503_599_627_370_495;
// Control characters, white space and the three that the hub keeps for itself.
const FORBIDDEN_IN_NAME = /[\u0000-\u001f\u007f-\u009f\s.$#]/u;

/**
 * Checks a twin patch against the hub's limits (contract iot-edge-runtime B.5) and throws EDGE_TWIN_PATCH_INVALID with
 * the words edgeHub uses. In the order of its ReportedPropertiesValidator, so that of several mistakes the same one is
 * named: the size of the whole, then token by token.
 */
export function validateTwinPatch(patch: Readonly<Record<string, unknown>>): void {
  const sizeBytes = jsonBytes(patch);
  if (sizeBytes > MAX_PATCH_BYTES) {
    throw twinPatchInvalid(`Twin properties size ${sizeBytes} exceeds maximum ${MAX_PATCH_BYTES}`);
  }
  validateObject(patch, 0, false);
}

/** Checks the size of a whole section after a merge; throws EDGE_TWIN_PATCH_INVALID. */
export function validateTwinSection(
  section: keyof typeof MAX_SECTION_BYTES,
  content: Readonly<Record<string, unknown>>,
): void {
  const sizeBytes = jsonBytes(content);
  const limit = MAX_SECTION_BYTES[section];
  if (sizeBytes <= limit) return;
  throw twinPatchInvalid(
    `Twin ${section === 'tags' ? 'tags' : 'properties'} size ${sizeBytes} exceeds maximum ${limit}`,
  );
}

function jsonBytes(content: Readonly<Record<string, unknown>>): number {
  try {
    return Buffer.byteLength(JSON.stringify(content));
  } catch (error) {
    // Parsed JSON has no cycles: it is nested deeper than the stack.
    if (error instanceof RangeError) throw depthExceeded();
    throw error;
  }
}

/** `depth` is that of the object itself; the patch has 0. */
function validateObject(object: Readonly<Record<string, unknown>>, depth: number, insideArray: boolean): void {
  validateDepth(depth);
  for (const [name, value] of Object.entries(object)) {
    validateName(name);
    validateValue(name, value, depth + 1, insideArray);
  }
}

function validateValue(name: string, value: unknown, depth: number, insideArray: boolean): void {
  if (typeof value === 'object' && value !== null) {
    if (!Array.isArray(value)) {
      validateObject(value as Record<string, unknown>, depth, insideArray);
      return;
    }
    validateDepth(depth);
    validateArray(value, depth + 1);
  } else if (value === null) {
    // Null deletes a property; inside an array there is nothing it could delete.
    if (insideArray) throw twinPatchInvalid(`Property ${name} of an object in an array cannot be 'null'`);
  } else if (typeof value === 'number') {
    if (Number.isInteger(value) && (value < MIN_INTEGER || value > MAX_INTEGER)) {
      throw twinPatchInvalid(
        `Property ${name} has an out of bound value. Valid values are between ${MIN_INTEGER} and ${MAX_INTEGER}`,
      );
    }
  } else if (typeof value === 'string') {
    const length = Buffer.byteLength(value);
    if (length > MAX_VALUE_BYTES) {
      throw twinPatchInvalid(
        `Value associated with property name ${name} has length ${length} that exceeds maximum length of ${MAX_VALUE_BYTES}`,
      );
    }
  }
}

/** What stands in an array has no name, and messages about it name none. */
function validateArray(items: readonly unknown[], depth: number): void {
  for (const item of items) {
    if (item === null) throw twinPatchInvalid(`Arrays cannot contain 'null' as value`);
    if (Array.isArray(item)) {
      validateDepth(depth);
      validateArray(item, depth + 1);
    } else {
      validateValue('', item, depth, true);
    }
  }
}

function validateDepth(depth: number): void {
  if (depth > MAX_DEPTH) throw depthExceeded();
}

const depthExceeded = (): VantageError => twinPatchInvalid(`Nested depth of twin property exceeds ${MAX_DEPTH}`);

function validateName(name: string): void {
  if (Buffer.byteLength(name) > MAX_NAME_BYTES) {
    throw twinPatchInvalid(
      `Length of property name ${name.slice(0, 10)}.. exceeds maximum length of ${MAX_NAME_BYTES}`,
    );
  }
  const forbidden = FORBIDDEN_IN_NAME.exec(name);
  if (forbidden !== null) {
    throw twinPatchInvalid(`Property name ${name} contains invalid character '${forbidden[0]}'`);
  }
}

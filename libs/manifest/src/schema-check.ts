import { type Json, JsonNumber, type JsonObject, isJsonObject } from './json.ts';
import { pythonRepr } from './python-format.ts';

export type SchemaType = 'object' | 'string' | 'integer' | 'number' | 'boolean' | 'array';

/** The part of JSON Schema (draft 4) that deployment manifests need. Keywords are checked in the order they stand. */
export interface Schema {
  readonly type?: SchemaType | readonly SchemaType[];
  readonly enum?: readonly string[];
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly patternProperties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: false;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
}

export interface SchemaIssue {
  /** Keys from the root. */
  readonly path: readonly string[];
  /** In the words of Python's `jsonschema`, which iotedgedev prints. */
  readonly message: string;
}

/** Checks a value against a schema and gives every violation. */
export function checkSchema(schema: Schema, value: Json, path: readonly string[] = []): SchemaIssue[] {
  return Object.keys(schema).flatMap((keyword) => {
    const check = CHECKS[keyword as keyof Schema];
    return check(schema, value, path);
  });
}

type Check = (schema: Schema, value: Json, path: readonly string[]) => SchemaIssue[];

const CHECKS: Readonly<Record<keyof Schema, Check>> = {
  type: ({ type = [] }, value, path) => {
    const types = typeof type === 'string' ? [type] : type;
    if (types.some((one) => hasType(one, value))) return [];
    return [{ path, message: `${pythonRepr(value)} is not of type ${types.map((one) => `'${one}'`).join(', ')}` }];
  },
  enum: ({ enum: allowed = [] }, value, path) => {
    if (typeof value === 'string' && allowed.includes(value)) return [];
    return [{ path, message: `${pythonRepr(value)} is not one of ${pythonRepr([...allowed])}` }];
  },
  pattern: ({ pattern = '' }, value, path) => {
    if (typeof value !== 'string' || new RegExp(pattern).test(value)) return [];
    return [{ path, message: `${pythonRepr(value)} does not match ${pythonRepr(pattern)}` }];
  },
  minimum: ({ minimum = 0 }, value, path) => {
    if (!(value instanceof JsonNumber) || value.value >= minimum) return [];
    return [{ path, message: `${pythonRepr(value)} is less than the minimum of ${minimum}` }];
  },
  maximum: ({ maximum = 0 }, value, path) => {
    if (!(value instanceof JsonNumber) || value.value <= maximum) return [];
    return [{ path, message: `${pythonRepr(value)} is greater than the maximum of ${maximum}` }];
  },
  required: ({ required = [] }, value, path) => {
    if (!isJsonObject(value)) return [];
    const missing = required.filter((key) => !value.has(key));
    return missing.map((key) => ({ path, message: `${pythonRepr(key)} is a required property` }));
  },
  properties: ({ properties = {} }, value, path) => {
    if (!isJsonObject(value)) return [];
    return Object.entries(properties).flatMap(([key, schema]) => {
      const item = value.get(key);
      return item === undefined ? [] : checkSchema(schema, item, [...path, key]);
    });
  },
  patternProperties: ({ patternProperties = {} }, value, path) => {
    if (!isJsonObject(value)) return [];
    return Object.entries(patternProperties).flatMap(([pattern, schema]) => {
      const matcher = new RegExp(pattern);
      const matching = Array.from(value).filter(([key]) => matcher.test(key));
      return matching.flatMap(([key, item]) => checkSchema(schema, item, [...path, key]));
    });
  },
  additionalProperties: (schema, value, path) => (isJsonObject(value) ? checkExtras(schema, value, path) : []),
  items: ({ items }, value, path) => {
    if (!Array.isArray(value) || items === undefined) return [];
    return value.flatMap((item, i) => checkSchema(items, item, [...path, String(i)]));
  },
  anyOf: ({ anyOf = [] }, value, path) => {
    if (anyOf.some((schema) => checkSchema(schema, value).length === 0)) return [];
    return [{ path, message: `${pythonRepr(value)} is not valid under any of the given schemas` }];
  },
};

function checkExtras(schema: Schema, value: JsonObject, path: readonly string[]): SchemaIssue[] {
  const patterns = Object.keys(schema.patternProperties ?? {});
  const matchers = patterns.map((pattern) => new RegExp(pattern));
  const extras = [...value.keys()].filter(
    (key) => !Object.hasOwn(schema.properties ?? {}, key) && !matchers.some((matcher) => matcher.test(key)),
  );
  if (extras.length === 0) return [];
  const names = extras.sort().map(pythonRepr).join(', ');
  if (patterns.length === 0) {
    const verb = extras.length === 1 ? 'was' : 'were';
    return [{ path, message: `Additional properties are not allowed (${names} ${verb} unexpected)` }];
  }
  const verb = extras.length === 1 ? 'does' : 'do';
  return [
    { path, message: `${names} ${verb} not match any of the regexes: ${patterns.sort().map(pythonRepr).join(', ')}` },
  ];
}

function hasType(type: SchemaType, value: Json): boolean {
  switch (type) {
    case 'object':
      return isJsonObject(value);
    case 'array':
      return Array.isArray(value);
    case 'integer':
      return value instanceof JsonNumber && value.isInteger;
    case 'number':
      return value instanceof JsonNumber;
    case 'string':
    case 'boolean':
      return typeof value === type;
  }
}

import { messageOf } from '@vantage/contracts';
import { CHUNK_SIZE, MAX_CHUNKS_WRITTEN, chunkKey } from './create-options.ts';
import { type Json, isJsonObject, parseJson } from './json.ts';
import { allModules, isLayered, modulesContentOf, settingsOf } from './manifest.ts';
import { pythonStr } from './python-format.ts';
import { type SchemaIssue, checkSchema } from './schema-check.ts';
import { SCHEMAS, type SchemaName, isSchemaName } from './schemas.ts';

/** Checks a manifest or template against one schema by name. */
export function checkAgainst(schema: SchemaName, manifest: Json): SchemaIssue[] {
  return checkSchema(SCHEMAS[schema], manifest);
}

/**
 * The warnings that iotedgedev prints for a generated manifest, word for word: the schema of deployments (skipped for
 * layered ones), then each module's createOptions.
 */
export function manifestWarnings(manifest: Json): string[] {
  const warnings: string[] = [];
  if (!isLayered(manifest)) {
    const issues = checkAgainst('azure-iot-edge-deployment-2.0', manifest);
    for (const { path, message } of issues) {
      warnings.push(`Deployment manifest schema error: ${message}. Property path:${path.join('->')}`);
    }
    if (issues.length > 0) {
      warnings.push('Deployment manifest schema validation failed. Please see previous logs for more details');
    }
  }
  const aboutOptions = createOptionsWarnings(manifest);
  if (aboutOptions.length > 0) {
    aboutOptions.push('Errors found during createOptions validation. Please check the logs for details.');
  }
  return [...warnings, ...aboutOptions];
}

function createOptionsWarnings(manifest: Json): string[] {
  const warnings: string[] = [];
  for (const [name, module] of allModules(manifest)) {
    const settings = settingsOf(module);
    if (settings?.has('createOptions') !== true) continue;
    let joined = '';
    for (let i = 0; i < MAX_CHUNKS_WRITTEN; i += 1) {
      const key = chunkKey('createOptions', i);
      const value = settings.get(key);
      if (value === undefined) break;
      const text = pythonStr(value);
      if (Array.from(text).length > CHUNK_SIZE)
        warnings.push(`Length of ${key} in module ${name} exceeds ${CHUNK_SIZE}`);
      joined += text;
    }
    warnings.push(...formatWarnings(name, joined.trim()));
  }
  return warnings;
}

function formatWarnings(name: string, joined: string): string[] {
  if (!joined.startsWith('{')) return [`createOptions of module ${name} should be an object`];
  try {
    parseJson(joined);
    return [];
  } catch (error) {
    return [`createOptions of module ${name} is not a valid JSON string. Error: ${messageOf(error)}`];
  }
}

export interface SystemModulesCheck {
  readonly issues: readonly SchemaIssue[];
  /** System modules whose schemaVersion has no schema: not checked. */
  readonly skipped: readonly string[];
}

/**
 * Checks `$edgeAgent` and `$edgeHub` each against the schema of its own schemaVersion, as `az iot edge set-modules`
 * does; versions without schema, and layered content, are skipped.
 */
export function checkSystemModules(manifest: Json): SystemModulesCheck {
  const content = modulesContentOf(manifest);
  const issues: SchemaIssue[] = [];
  const skipped: string[] = [];
  for (const name of ['$edgeAgent', '$edgeHub']) {
    const twin = content.get(name);
    const desired = isJsonObject(twin) ? twin.get('properties.desired') : undefined;
    if (twin === undefined || (desired === undefined && isLayered(manifest))) continue;
    const version = isJsonObject(desired) ? desired.get('schemaVersion') : undefined;
    const schema = `azure-iot-${name.slice(1).toLowerCase()}-deployment-${pythonStr(version ?? '')}`;
    if (isSchemaName(schema)) issues.push(...checkAgainst(schema, new Map([[name, twin]])));
    else skipped.push(name);
  }
  return { issues, skipped };
}

export {
  CHUNK_SIZE,
  MAX_CHUNKS_READ,
  MAX_CHUNKS_WRITTEN,
  joinChunks,
  parseCreateOptions,
  splitCreateOptions,
} from './create-options.ts';
export type { ContainerModule, FindContainers, SkillContainers } from './container-modules.ts';
export {
  expandVariables,
  expandWithOrigins,
  unsetVariables,
  withDotEnv,
  type Environment,
  type ExpandedText,
} from './env.ts';
export {
  finishTemplate,
  generateManifest,
  manifestName,
  type GenerateOptions,
  type GeneratedManifest,
} from './generate.ts';
export { suggestImprovements, type Improvement } from './inspect/improvements.ts';
export { inspectDeployment } from './inspect/inspect.ts';
export { locator, positionOf, type TextPosition } from './inspect/locate.ts';
export { pathKeys, pathText, type DeploymentProblem, type JsonPath } from './inspect/problem.ts';
export { parseImage, type ImageName } from './image.ts';
export { fromPlain, parseJson, toPlain, type Json, type JsonObject } from './json.ts';
export { listFolders, parseModuleFile, readModuleFile, type ModuleFile } from './module-file.ts';
export { dumpJson } from './python-format.ts';
export { inspectPlacement } from './placement.ts';
export type { SchemaIssue } from './schema-check.ts';
export type { SchemaName } from './schemas.ts';
export { checkAgainst, checkSystemModules, manifestWarnings, type SystemModulesCheck } from './validate.ts';
export { generateVsCodeManifest } from './vscode-style.ts';

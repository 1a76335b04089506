import { readFile, stat } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { VantageError, codeOf, messageOf } from '@vantage/contracts';
import { demo } from '@vantage/demo';
import { generateManifest, inspectPlacement, pathText } from '@vantage/manifest';
import { silentLogger } from '@vantage/observability';
import { environmentOf } from '../generate/prepare.ts';
import { findSkillContainers } from '../generate/skill-containers.ts';
import { findConfig } from '../infer/find-config.ts';
import { requireGoodRoutes } from '../route/manifest-routes.ts';
import { bindFolders, CONTAINER_DEMO_MODEL } from './container-files.ts';

export const REPOSITORY = path.resolve(import.meta.dirname, '../../../..');

export interface DeploymentOptions {
  /** Template or manifest; default: the product's own template. */
  readonly deployment?: string;
  readonly source?: string;
  readonly model?: string;
  /** Modules run in containers: files of this machine have to be bound into them. */
  readonly containers?: boolean;
}

export type ModulesContent = Record<string, { 'properties.desired': Record<string, unknown> }>;

/** The deployment that `vantage up` applies: the template, generated, with the user's camera and model put in. */
export async function makeDeployment(options: DeploymentOptions): Promise<ModulesContent> {
  const templatePath = path.resolve(options.deployment ?? path.join(REPOSITORY, 'deployment.template.json'));
  const content = await generate(templatePath, options.containers === true);
  // A device would only log a condition that does not compile, and its messages would be gone.
  requireGoodRoutes(content, templatePath);
  if (options.source !== undefined || options.model !== undefined) await putIn(content, options);
  return content;
}

/** @throws VantageError DEPLOYMENT_INVALID, which names the file */
async function generate(templatePath: string, containers: boolean): Promise<ModulesContent> {
  try {
    const { text, manifest, problems } = await generateManifest({
      findContainers: findSkillContainers,
      templatePath,
      templateText: await readFile(templatePath, 'utf8'),
      modulesPath: path.join(REPOSITORY, 'modules'),
      env: {
        ...(await environmentOf(templatePath)),
        DEMO_MODEL_CONFIG: containers ? CONTAINER_DEMO_MODEL : demo.modelConfig,
      },
    });
    const platform = process.arch === 'arm64' ? 'arm64v8' : 'amd64';
    const wrong = [...problems, ...inspectPlacement(manifest, platform)].find(({ severity }) => severity === 'error');
    if (wrong) throw new Error(`${wrong.message} (${pathText(wrong.path)})`);
    const { modulesContent } = JSON.parse(text) as { modulesContent?: ModulesContent };
    if (modulesContent) return modulesContent;
  } catch (error) {
    const reason = codeOf(error) === 'ENOENT' ? 'does not exist' : `is no deployment: ${messageOf(error)}`;
    throw new VantageError('DEPLOYMENT_INVALID', `${templatePath} ${reason}`, { cause: error });
  }
  throw new VantageError('DEPLOYMENT_INVALID', `${templatePath} has no modulesContent`);
}

interface ControllerTwin {
  azdaConfiguration: {
    components: {
      sensors: { kind: { subtype: string }; endpoint: string; playback?: { loop: boolean } }[];
      deepStream: { pipelineConfigs: { unsecureZipUrl: string; primaryModelConfigPath: string }[] };
    };
  };
}

async function putIn(content: ModulesContent, { source, model, containers }: DeploymentOptions): Promise<void> {
  const files: string[] = [];
  const twin = content['controllermodule']?.['properties.desired'] as unknown as ControllerTwin | undefined;
  const [sensor] = twin?.azdaConfiguration.components.sensors ?? [];
  const [pipeline] = twin?.azdaConfiguration.components.deepStream.pipelineConfigs ?? [];
  if (!sensor || !pipeline) {
    throw new VantageError('DEPLOYMENT_INVALID', '--source and --model need a deployment with a sensor and a pipeline');
  }
  if (source !== undefined) {
    const isUrl = /^[a-z]+:\/\//i.test(source);
    if (!isUrl) await requireFile(source);
    sensor.endpoint = isUrl ? source : pathToFileURL(path.resolve(source)).href;
    if (!isUrl) files.push(source);
    sensor.kind.subtype = isUrl && /^rtsp/i.test(source) ? 'RTSP' : 'File';
    // A file stands for a camera here, and a camera does not end.
    sensor.playback = { loop: true };
  }
  if (model !== undefined) {
    const { file, zip } = await findConfig(model, path.join(os.tmpdir(), 'vantage-models'), silentLogger);
    pipeline.unsecureZipUrl = zip ? pathToFileURL(zip.path).href : '';
    pipeline.primaryModelConfigPath = zip?.config ?? file;
    files.push(zip?.path ?? file);
  }
  if (containers === true) bindFolders(content, 'ai-pipeline', files);
}

async function requireFile(source: string): Promise<void> {
  const isFile = await stat(source).then(
    (stats) => stats.isFile(),
    () => false,
  );
  if (!isFile) {
    const problem = `the source ${source} is no file here; a camera is a URL, such as rtsp://10.0.0.7/stream1`;
    throw new VantageError('INPUT_MISSING', problem);
  }
}

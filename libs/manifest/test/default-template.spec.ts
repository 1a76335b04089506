import { readFile } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { ROUTES, isObject, validateConfiguration } from '@vantage/contracts';
import {
  type GeneratedManifest,
  checkAgainst,
  generateManifest,
  inspectDeployment,
  joinChunks,
  parseCreateOptions,
  parseJson,
  readModuleFile,
  withDotEnv,
} from '../src/index.ts';

const ROOT = resolve(import.meta.dirname, '../../..');
const TEMPLATE = resolve(ROOT, 'deployment.template.json');

interface Deployed {
  startupOrder?: number;
  restartPolicy: string;
  settings: Record<string, string> & { image: string };
}
interface Manifest {
  modulesContent: Record<string, { 'properties.desired': Record<string, unknown> }> & {
    $edgeAgent: { 'properties.desired': { modules: Record<string, Deployed> } };
    $edgeHub: { 'properties.desired': { routes: Record<string, string> } };
  };
}

async function generate(platform: string): Promise<GeneratedManifest> {
  const env = withDotEnv(await readFile(resolve(ROOT, '.env.example'), 'utf8'), {});
  return generateManifest({ templateText: await readFile(TEMPLATE, 'utf8'), templatePath: TEMPLATE, env, platform });
}

describe('the default deployment', () => {
  test.each(['amd64', 'arm64v8'])('is valid on %s', async (platform) => {
    const { name, warnings, manifest, text } = await generate(platform);
    expect(name).toBe(`deployment.${platform}.json`);
    expect(warnings).toEqual([]);
    expect(inspectDeployment(manifest)).toEqual([]);
    expect(text).not.toMatch(/\$\{/);
  });

  test('is a valid template', async () => {
    expect(checkAgainst('azure-iot-edge-deployment-template-4.0', parseJson(await readFile(TEMPLATE, 'utf8')))).toEqual(
      [],
    );
  });

  test('routes between modules, and sends nothing of the controller upstream', async () => {
    const { text } = await generate('amd64');
    const { routes } = (JSON.parse(text) as Manifest).modulesContent.$edgeHub['properties.desired'];
    expect(routes).toEqual({
      AIPipelineToHub: 'FROM /messages/modules/ai-pipeline/outputs/* INTO $upstream',
      VideoUploaderToIoTHub: 'FROM /messages/modules/VideoUploader/outputs/* INTO $upstream',
      ...ROUTES,
    });
  });

  test('starts the pipeline, then the controller, then the business logic, on a shared folder', async () => {
    const { text, moduleFolders } = await generate('amd64');
    const { modules } = (JSON.parse(text) as Manifest).modulesContent.$edgeAgent['properties.desired'];
    const seen = Object.entries(modules).map(([name, { startupOrder, restartPolicy, settings }]) => {
      const { HostConfig } = parseCreateOptions(joinChunks(settings)) as { HostConfig?: { Binds?: string[] } };
      return [name, startupOrder, restartPolicy, settings.image, HostConfig?.Binds];
    });
    const shared = 'VideoUploaderCache:/tmp/VideoUploaderCache';
    expect(seen).toEqual([
      ['controllermodule', 10, 'always', 'vantage/controllermodule:0.1.0-amd64', ['ControllerState:/var/lib/vantage']],
      ['ai-pipeline', 1, 'always', 'vantage/ai-pipeline:0.1.0-amd64', [shared, 'AIPipelineState:/var/lib/vantage']],
      ['BusinessLogicModule', 20, 'always', 'vantage/businesslogicmodule:0.1.0-amd64', [shared]],
      [
        ...['VideoUploader', undefined, 'always', 'vantage/videouploader:0.1.0-amd64'],
        ['VideoUploaderCache:/app/VideoUploaderCache', 'VideoUploaderState:/var/lib/vantage'],
      ],
      ['rtspsim', undefined, 'always', 'vantage/rtspsim:0.1.0-amd64', undefined],
    ]);
    for (const [name, folder] of moduleFolders) {
      expect(basename(folder)).toBe(name);
      const file = await readModuleFile(folder, {});
      expect(file?.process?.command).toEqual(['node', 'src/main.ts']);
    }
    expect([...moduleFolders.keys()]).toEqual(Object.keys(modules));
  });

  test('twins: one camera, one region, one pipeline', async () => {
    const { text } = await generate('amd64');
    const { modulesContent } = JSON.parse(text) as Manifest;
    expect(modulesContent['controllermodule']?.['properties.desired']).toMatchObject({
      azdaConfiguration: {
        platform: 'DeepStream',
        components: {
          sensors: [{ name: 'street', endpoint: 'rtsp://rtspsim:554/media/street.mp4' }],
          deepStream: {
            enable: true,
            pipelineConfigs: [{ id: 'StreetDetection', primaryModelConfigPath: 'models/demo/config_infer.txt' }],
            streams: [{ name: 'street', configId: 'StreetDetection' }],
          },
        },
      },
    });
    const report = validateConfiguration(modulesContent['controllermodule']?.['properties.desired']);
    expect(report).toMatchObject({ errors: [] });
    expect(modulesContent['ai-pipeline']?.['properties.desired']).toEqual({
      outputVideoLength: 10,
      autoStopRecordingTime: 60,
    });
    expect(modulesContent['BusinessLogicModule']?.['properties.desired']).toEqual({ startRecording: [] });
  });
});

describe('the variants of the default deployment', () => {
  const AI_PIPELINE = 'modulesContent.$edgeAgent.properties.desired.modules.ai-pipeline';
  const HOST = `${AI_PIPELINE}.settings.createOptions.HostConfig`;
  const ORDER = (module: string): string =>
    `modulesContent.$edgeAgent.properties.desired.modules.${module}.startupOrder`;
  const camera = (name: string): unknown => ({
    PathOnHost: name,
    PathInContainer: name,
    CgroupPermissions: 'mrw',
  });

  test.each([
    ['dgpu', 'amd64', { [`${HOST}.Runtime`]: 'nvidia' }, '-amd64.dgpu'],
    ['jetson', 'arm64v8', { [`${HOST}.Runtime`]: 'nvidia' }, '-arm64v8.jetson'],
    [
      'usb',
      'amd64',
      {
        [`${HOST}.Devices`]: [camera('/dev/video0'), camera('/dev/video1')],
        // The image's user is none of those who may open a camera.
        [`${HOST}.GroupAdd`]: ['video'],
        [ORDER('controllermodule')]: 2,
        [ORDER('BusinessLogicModule')]: undefined,
      },
      '-amd64',
    ],
  ])('%s differs from it in the device only', async (kind, platform, differences, pipeline) => {
    const file = resolve(ROOT, `deployment.${kind}.template.json`);
    const [text, usual] = await Promise.all([readFile(file, 'utf8'), readFile(TEMPLATE, 'utf8')]);
    const plain = (json: string): string => json.replace(/(\$\{MODULES\.[\w-]+)\.[\w.]+\}/g, '$1}');
    expect(different(JSON.parse(usual), JSON.parse(plain(text)))).toEqual(differences);
    expect(checkAgainst('azure-iot-edge-deployment-template-4.0', parseJson(text))).toEqual([]);

    const env = withDotEnv(await readFile(resolve(ROOT, '.env.example'), 'utf8'), {});
    const made = await generateManifest({ templateText: text, templatePath: file, env, platform });
    expect(made.warnings).toEqual([]);
    expect(inspectDeployment(made.manifest)).toEqual([]);
    const { modules } = (JSON.parse(made.text) as Manifest).modulesContent.$edgeAgent['properties.desired'];
    for (const [name, { settings }] of Object.entries(modules)) {
      const tag = name === 'ai-pipeline' ? pipeline : `-${platform}`;
      expect(settings.image).toMatch(new RegExp(`^vantage/${name.toLowerCase()}:[\\d.]+${tag}$`));
    }
  });
});

/** What the second of two JSON values has otherwise, by path. */
function different(before: unknown, after: unknown, at = ''): Record<string, unknown> {
  if (isObject(before) && isObject(after)) {
    const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
    return Object.assign(
      {},
      ...[...keys].map((key) => different(before[key], after[key], at === '' ? key : `${at}.${key}`)),
    ) as Record<string, unknown>;
  }
  return JSON.stringify(before) === JSON.stringify(after) ? {} : { [at]: after };
}

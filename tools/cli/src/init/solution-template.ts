import path from 'node:path';
import { readModuleFile } from '@vantage/manifest';

interface Template {
  readonly modulesContent: Record<string, { 'properties.desired': Record<string, unknown> }> & {
    readonly $edgeAgent: {
      'properties.desired': { modules: Record<string, { settings: { image: string } } & Record<string, unknown>> };
    };
  };
}

/** Port of the node, of its own in the network of custom-node-host. */
const NODE_PORT = 6677;

/**
 * The product's own template, for a folder that has no `modules/` of the product: images by their names in a registry,
 * and custom-node-host with the node of this solution.
 *
 * @param base text of the product's template
 * @param modules folder of the product's modules
 */
export async function solutionTemplate(base: string, node: string, modules: string): Promise<string> {
  const template = JSON.parse(base) as Template;
  const agent = template.modulesContent.$edgeAgent['properties.desired'];
  agent.modules['custom-node-host'] = {
    version: '1.0',
    type: 'docker',
    status: 'running',
    restartPolicy: 'always',
    settings: {
      image: '${MODULES.custom-node-host}',
      ...{ createOptions: { HostConfig: { Binds: ['CustomNodeState:/var/lib/vantage', 'CustomNodes:/nodes'] } } },
    },
  };
  for (const { settings } of Object.values(agent.modules)) settings.image = await byName(settings.image, modules);
  template.modulesContent['custom-node-host'] = {
    'properties.desired': { nodes: { [node]: { folder: '${NODE_FOLDER}', port: NODE_PORT } } },
  };
  return `${JSON.stringify(template, null, 2)}\n`;
}

/** `${MODULES.x}` as the image that `vantage image push` brings into a registry. */
async function byName(image: string, modules: string): Promise<string> {
  const name = /^\$\{MODULES\.([^.}]+)/.exec(image)?.[1];
  const file = name === undefined ? undefined : await readModuleFile(path.join(modules, name), {});
  if (name === undefined || file === undefined) return image;
  const tag = name === 'ai-pipeline' ? 'AI_PIPELINE_TAG' : 'VANTAGE_TAG';
  return `\${CONTAINER_REGISTRY_NAME}/${file.repository.toLowerCase()}:\${${tag}}`;
}

/** A change of the controllermodule's twin: five frames a second of the demo camera go through the node. */
export function nodeTwin(node: string): string {
  const skill = {
    id: node,
    nodes: [
      { id: 'camera', type: 'source', name: 'rtsp', configurations: { fps: '5' } },
      {
        id: 'mine',
        type: 'transform',
        name: 'grpc_transform',
        configurations: { type: 'endpoint', endpoint_url: `custom-node-host:${NODE_PORT}` },
      },
      { id: 'cloud', type: 'export', name: 'iothub_export', configurations: { delay_buffer: '2' } },
    ],
    edges: [
      { source: { node: 'camera' }, target: { node: 'mine' } },
      { source: { node: 'mine' }, target: { node: 'cloud' } },
    ],
    instances: [{ id: `${node}-street`, sensors: ['street'] }],
  };
  return `${JSON.stringify({ azdaConfiguration: { components: { skills: [skill] } } }, null, 2)}\n`;
}

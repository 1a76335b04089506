import type { Schema } from './schema-check.ts';

/**
 * The shapes of deployment manifests and templates, written from the contract of edgeAgent and edgeHub (what the
 * public schemas of these versions accept). `loose` is the first version, which let unknown keys pass.
 */
interface Variant {
  readonly loose: boolean;
  /** Templates may carry createOptions as objects. */
  readonly template: boolean;
}

const STRING: Schema = { type: 'string' };
const TEXT: Schema = { type: 'string', pattern: '^.+$' };
const MODULE_TYPE: Schema = { enum: ['docker'] };
const STATUS: Schema = { enum: ['running', 'stopped'] };
const RESTART_POLICY: Schema = { enum: ['never', 'on-failure', 'on-unhealthy', 'always'] };
const IMAGE_PULL_POLICY: Schema = { enum: ['never', 'on-create'] };
const UINT32: Schema = { type: 'integer', minimum: 0, maximum: 4294967295 };
const MODULE_NAME = '^[a-zA-Z0-9_-]+$';
const NAME_1_0 = '^.+$';
const NAME = '^[^\\.\\$# ]+$';

/** An object; closed unless the variant is loose. */
function object(
  loose: boolean,
  required: readonly string[],
  properties: Readonly<Record<string, Schema>>,
  patternProperties?: Readonly<Record<string, Schema>>,
): Schema {
  return {
    type: 'object',
    ...(required.length > 0 ? { required } : {}),
    properties,
    ...(patternProperties === undefined ? {} : { patternProperties }),
    ...(loose ? {} : { additionalProperties: false }),
  };
}

function mapOf(loose: boolean, pattern: string, schema: Schema): Schema {
  return {
    type: 'object',
    patternProperties: { [pattern]: schema },
    ...(loose ? {} : { additionalProperties: false }),
  };
}

function moduleSettings({ loose, template }: Variant, openSettings: boolean): Schema {
  const createOptions: Schema = { type: template ? ['object', 'string'] : 'string' };
  if (loose) return object(true, ['image'], { image: STRING, createOptions });
  return object(openSettings, ['image'], { image: STRING }, { '^(createoptions|createOptions)[0-9]*$': createOptions });
}

function environment(loose: boolean): Schema {
  const value = object(loose, ['value'], { value: { type: ['number', 'string', 'boolean'] } });
  return mapOf(false, '^[^\\+#$\\s\\.]+$', value);
}

function runtime(loose: boolean, credentialName: string): Schema {
  const credential = object(loose, ['username', 'password', 'address'], {
    username: STRING,
    password: STRING,
    address: { type: 'string', pattern: '^[^\\s]+$' },
  });
  const settings = object(loose, [], {
    minDockerVersion: STRING,
    loggingOptions: STRING,
    registryCredentials: mapOf(false, credentialName, credential),
  });
  return object(loose, ['type', 'settings'], { type: MODULE_TYPE, settings });
}

interface AgentOptions extends Variant {
  readonly schemaVersion: Schema;
  readonly credentialName: string;
  /** Unknown keys pass everywhere but in `runtime` and `env`, as in templates of version 3 and 4. */
  readonly open: boolean;
}

/** Desired properties of `$edgeAgent`. */
function agentDesired(options: AgentOptions): Schema {
  const { loose, schemaVersion, credentialName, open } = options;
  const passUnknown = loose || open;
  const settings = moduleSettings(options, open);
  const env = environment(loose);
  const pull = loose ? {} : { imagePullPolicy: IMAGE_PULL_POLICY };
  const order = loose ? {} : { startupOrder: UINT32 };
  const edgeAgent = object(passUnknown, ['type', 'settings'], { type: MODULE_TYPE, settings, env, ...pull });
  const edgeHub = object(passUnknown, ['type', 'settings', 'status', 'restartPolicy'], {
    type: MODULE_TYPE,
    settings,
    env,
    status: STATUS,
    restartPolicy: RESTART_POLICY,
    ...pull,
    ...order,
  });
  const module = object(passUnknown, ['type', 'status', 'restartPolicy', 'settings'], {
    version: STRING,
    type: MODULE_TYPE,
    status: STATUS,
    restartPolicy: RESTART_POLICY,
    env,
    settings,
    ...pull,
    ...order,
  });
  return object(passUnknown, ['schemaVersion', 'runtime', 'systemModules', 'modules'], {
    schemaVersion,
    runtime: runtime(loose, credentialName),
    systemModules: object(open, ['edgeAgent', 'edgeHub'], { edgeAgent, edgeHub }),
    modules: mapOf(open, MODULE_NAME, module),
  });
}

const ROUTE: Schema = {
  anyOf: [
    object(false, ['route'], {
      route: TEXT,
      priority: { type: 'integer', minimum: 0, maximum: 9 },
      timeToLiveSecs: UINT32,
    }),
    TEXT,
  ],
};

/** A list of objects or texts. */
function listOf(items: Schema): Schema {
  return { type: 'array', items };
}

const POLICY = listOf(
  object(false, [], {
    operations: listOf({ type: 'string', pattern: '^mqtt:connect$|^mqtt:subscribe$|^mqtt:publish$' }),
    resources: listOf(TEXT),
  }),
);

const MQTT_BROKER = object(false, [], {
  bridges: listOf(
    object(false, [], {
      endpoint: { type: 'string', pattern: '\\$upstream' },
      settings: listOf(
        object(false, [], {
          direction: { type: 'string', pattern: '^in$|^out$' },
          topic: STRING,
          inPrefix: STRING,
          outPrefix: STRING,
        }),
      ),
    }),
  ),
  authorizations: listOf(object(false, [], { identities: listOf(TEXT), allow: POLICY, deny: POLICY })),
});

/** Desired properties of `$edgeHub`. */
function hubDesired(loose: boolean, schemaVersion: Schema, broker: boolean): Schema {
  return object(loose, ['schemaVersion', 'routes'], {
    schemaVersion,
    routes: loose ? mapOf(true, NAME_1_0, TEXT) : mapOf(false, NAME, ROUTE),
    storeAndForwardConfiguration: object(loose, ['timeToLiveSecs'], { timeToLiveSecs: { type: 'integer' } }),
    ...(broker ? { mqttBroker: MQTT_BROKER } : {}),
  });
}

function twin(loose: boolean, desired: Schema): Schema {
  return object(loose, ['properties.desired'], { 'properties.desired': desired });
}

/** A whole deployment; keywords in this order, which is the order of the messages. */
function deployment(loose: boolean, agent: Schema, hub: Schema, top: Readonly<Record<string, Schema>> = {}): Schema {
  const content = object(
    false,
    ['$edgeAgent', '$edgeHub'],
    { $edgeAgent: twin(loose, agent), $edgeHub: twin(loose, hub) },
    { [MODULE_NAME]: twin(loose, { type: 'object' }) },
  );
  return {
    ...(loose ? {} : { additionalProperties: false }),
    properties: { ...top, modulesContent: content },
    required: ['modulesContent'],
    type: 'object',
  };
}

/** Templates of version 3 and 4: only `$edgeAgent` is asked for, and most unknown keys pass. */
function openTemplate(hub: Schema): Schema {
  const agent = agentDesired({
    loose: false,
    template: true,
    schemaVersion: { type: 'string', pattern: '1.1' },
    credentialName: NAME,
    open: true,
  });
  const content: Schema = {
    type: 'object',
    required: ['$edgeAgent'],
    properties: { $edgeAgent: twin(true, agent), $edgeHub: twin(false, hub) },
  };
  return { properties: { modulesContent: content }, required: ['modulesContent'], type: 'object' };
}

/** `{"$edgeAgent": {...}}` alone, as `az iot edge` checks it. */
function alone(name: '$edgeAgent' | '$edgeHub', loose: boolean, desired: Schema): Schema {
  return {
    additionalProperties: false,
    properties: { [name]: twin(loose, desired) },
    required: [name],
    type: 'object',
  };
}

const AGENT_1_0 = agentDesired({
  loose: true,
  template: false,
  schemaVersion: STRING,
  credentialName: NAME_1_0,
  open: false,
});
const AGENT_1_1 = agentDesired({
  loose: false,
  template: false,
  schemaVersion: STRING,
  credentialName: NAME,
  open: false,
});
const version = (pattern: string): Schema => ({ type: 'string', pattern });

/** All schemas by their public names. */
export const SCHEMAS = {
  'azure-iot-edge-deployment-1.0': deployment(true, AGENT_1_0, hubDesired(true, STRING, false)),
  'azure-iot-edge-deployment-2.0': deployment(false, AGENT_1_1, hubDesired(false, STRING, false)),
  'azure-iot-edge-deployment-template-1.0': deployment(
    true,
    agentDesired({ loose: true, template: true, schemaVersion: STRING, credentialName: NAME_1_0, open: false }),
    hubDesired(true, STRING, false),
  ),
  'azure-iot-edge-deployment-template-2.0': deployment(
    false,
    agentDesired({ loose: false, template: true, schemaVersion: STRING, credentialName: '^[^.# ]+$', open: false }),
    hubDesired(false, STRING, false),
    { $schema: STRING, '$schema-template': STRING },
  ),
  'azure-iot-edge-deployment-template-3.0': openTemplate(hubDesired(false, version('1.1'), false)),
  'azure-iot-edge-deployment-template-4.0': openTemplate(hubDesired(false, version('1.2'), true)),
  'azure-iot-edgeagent-deployment-1.0': alone('$edgeAgent', true, {
    ...AGENT_1_0,
    properties: { ...AGENT_1_0.properties, schemaVersion: version('1.0') },
  }),
  'azure-iot-edgeagent-deployment-1.1': alone('$edgeAgent', false, {
    ...AGENT_1_1,
    properties: { ...AGENT_1_1.properties, schemaVersion: version('1.1') },
  }),
  'azure-iot-edgehub-deployment-1.0': alone('$edgeHub', true, hubDesired(true, version('1.0'), false)),
  'azure-iot-edgehub-deployment-1.1': alone('$edgeHub', false, hubDesired(false, version('1.1'), false)),
  'azure-iot-edgehub-deployment-1.2': alone('$edgeHub', false, hubDesired(false, version('1.2'), true)),
} as const satisfies Record<string, Schema>;

export type SchemaName = keyof typeof SCHEMAS;

export function isSchemaName(name: string): name is SchemaName {
  return Object.hasOwn(SCHEMAS, name);
}

/**
 * Names that users' manifests, routes and twins contain. Case matters; they come from the Azure DeepStream Accelerator
 * contract (A.1, A.4) except where a line says that it is ours.
 */

/** Module ids. */
export const MODULES = {
  controller: 'controllermodule',
  aiPipeline: 'ai-pipeline',
  businessLogic: 'BusinessLogicModule',
  videoUploader: 'VideoUploader',
  rtspsim: 'rtspsim',
  /** Ours. */
  customNodeHost: 'custom-node-host',
} as const;

export type ModuleName = (typeof MODULES)[keyof typeof MODULES];

/** Module outputs. */
export const OUTPUTS = {
  /** controllermodule: the value of `azdaConfiguration.components`. */
  deepStream: 'DeepStream',
  /** ai-pipeline: the inference envelope. */
  inference: 'inference',
  /** BusinessLogicModule: recording commands. */
  recording: 'recordingOutput',
  /** VideoUploader: the JSON of a stored clip (C.5). */
  clips: 'clips',
  /** Ours. ai-pipeline and BusinessLogicModule: what they did with a configuration, and the request for one. */
  configurationStatus: 'configurationStatus',
} as const;

/** Module inputs. */
export const INPUTS = {
  /** ai-pipeline: configuration from the controllermodule. */
  controller: 'Controller',
  /** ai-pipeline: recording commands. */
  recording: 'recordingInput',
  /** BusinessLogicModule: configuration from the controllermodule. */
  regionsOfInterest: 'inputRegionsOfInterest',
  /** BusinessLogicModule: inference envelopes. */
  inference: 'inferenceInput',
  /** Ours. controllermodule: confirmations and requests of the other modules. */
  configurationStatus: 'configurationStatus',
} as const;

/** Direct methods. All are ours: the original product has none (B.6). */
export const METHODS = {
  /** controllermodule: publish the active configuration once more. Answers `{version}`. */
  republish: 'republish',
  /** VideoUploader: what became of a clip. Takes `{name}`. */
  clip: 'clip',
} as const;

/**
 * Application properties of messages on output `DeepStream`. They are properties so that the body stays exactly the
 * `components` object that consumers of the original product parse.
 */
export const MESSAGE_PROPERTIES = {
  /** The desired `$version` of the controllermodule twin that the body came from, in decimal. */
  configurationVersion: 'configurationVersion',
  /** Why it was published: {@link PUBLISH_REASONS}. */
  configurationReason: 'configurationReason',
} as const;

/** `started`: the controllermodule started; `changed`: its twin changed; `requested`: a consumer started or a person asked. */
export const PUBLISH_REASONS = ['started', 'changed', 'requested'] as const;

export type PublishReason = (typeof PUBLISH_REASONS)[number];

/** The routes between modules (A.4), and the two of ours that carry confirmations back to the controllermodule. */
export const ROUTES = {
  ControllerToAIPipeline:
    'FROM /messages/modules/controllermodule/outputs/DeepStream INTO BrokeredEndpoint("/modules/ai-pipeline/inputs/Controller")',
  ControllerToBusinessLogic:
    'FROM /messages/modules/controllermodule/outputs/DeepStream INTO BrokeredEndpoint("/modules/BusinessLogicModule/inputs/inputRegionsOfInterest")',
  AIPipelineToBusinessLogic:
    'FROM /messages/modules/ai-pipeline/outputs/inference INTO BrokeredEndpoint("/modules/BusinessLogicModule/inputs/inferenceInput")',
  BusinessLogicToAIPipeline:
    'FROM /messages/modules/BusinessLogicModule/outputs/recordingOutput INTO BrokeredEndpoint("/modules/ai-pipeline/inputs/recordingInput")',
  AIPipelineToController:
    'FROM /messages/modules/ai-pipeline/outputs/configurationStatus INTO BrokeredEndpoint("/modules/controllermodule/inputs/configurationStatus")',
  BusinessLogicToController:
    'FROM /messages/modules/BusinessLogicModule/outputs/configurationStatus INTO BrokeredEndpoint("/modules/controllermodule/inputs/configurationStatus")',
} as const;

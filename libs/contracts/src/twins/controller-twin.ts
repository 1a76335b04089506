import { z } from 'zod';
import type { DeepReadonly } from '../json.ts';

/**
 * The twin of the controllermodule (contract B.1, B.2), in every form that section J accepts. These schemas describe
 * single items; `validateConfiguration` applies them item by item, so that one bad camera does not take down the others.
 */

/** Levels of the documents (B.1), and the short names people type. */
export const LOG_LEVELS = ['trace', 'debug', 'information', 'warning', 'error', 'critical'] as const;

/** Output parsers of the original product that `primaryModelConfigPath.parser` may name (D.4). `-` and `_` are the same. */
export const DEEPSTREAM_PARSERS = ['yolov4', 'tiny_yolov3', 'ssd_mobilenet_v1', 'bodypose2d'] as const;

const name = z.string().min(1).max(128);
const text = z.string().max(4096);

export const regionOfInterestSchema = z
  .object({
    label: text.optional().meta({ description: 'Name of the region, shown in events and in the Player.' }),
    color: z
      .string()
      .max(32)
      .optional()
      .meta({ description: '#rrggbb', examples: ['#ff0000'] }),
    coordinates: z
      .array(z.tuple([z.number(), z.number()]))
      .max(256)
      .meta({
        description:
          'Corners [x, y] as fractions 0..1 of the frame, origin top left; at least three; closed by itself.',
      }),
    sensor: name
      .optional()
      .meta({ description: 'Owning sensor. Needed in the flat list components.regionsOfInterest only.' }),
  })
  .meta({ description: 'A polygon in the picture of one sensor.' });

export const playbackSchema = z
  .object({
    loop: z.boolean().optional().meta({ description: 'Start again at the end of the file. Default false.' }),
    paced: z
      .boolean()
      .optional()
      .meta({ description: 'Play at the speed of the recording (default true) or as fast as possible.' }),
  })
  .meta({ description: 'How a file:// endpoint is played. Ours; ignored for other endpoints.' });

export const sensorSchema = z
  .object({
    name: name.meta({ description: 'Unique. Letters, digits, - and _.' }),
    kind: z
      .object({
        type: text.optional().meta({ description: 'vision', examples: ['vision'] }),
        subtype: text.optional().meta({
          description: 'usb selects a local camera; anything else is for people.',
          examples: ['RTSP', 'FILE', 'USB', 'IP'],
        }),
      })
      .optional(),
    endpoint: text
      .optional()
      .meta({ description: 'rtsp://host/path, file:///path, or /dev/videoN. May be empty for passthrough pipelines.' }),
    regionsOfInterest: z.array(regionOfInterestSchema).optional(),
    playback: playbackSchema.optional(),
  })
  .meta({ description: 'A camera.' });

export const primaryModelSchema = z
  .object({
    configFile: text.meta({ description: 'nvinfer or nvinferserver configuration file.' }),
    pyFile: text.optional().meta({ description: 'Python output parser. Wins over jsFile and parser.' }),
    jsFile: text.optional().meta({ description: 'JavaScript or TypeScript output parser. Ours.' }),
    parser: text.optional().meta({ description: 'Built-in output parser.', examples: [...DEEPSTREAM_PARSERS] }),
  })
  .meta({ description: 'A model and how its output is read.' });

export const secondaryModelSchema = z.object({
  configFile: text.meta({ description: 'nvinfer configuration file.' }),
  pyFile: text.optional(),
  jsFile: text.optional(),
  parser: text.optional().meta({ description: 'Ignored for secondary models (D.4).' }),
});

export const dewarpSchema = z.object({ enable: z.boolean(), config_file: text.optional() });

/** Ours: the file of nvdsanalytics that DeepStream's own applications name. */
export const analyticsSchema = z
  .object({ enable: z.boolean(), config_file: text.optional() })
  .meta({ description: 'Regions, lines, crowds and directions: a file of nvdsanalytics.' });

const pixel = z.int().min(0).max(65_535);

export const cropSchema = z
  .object({
    enable: z.boolean(),
    x0: pixel.optional(),
    x1: pixel.optional(),
    y0: pixel.optional(),
    y1: pixel.optional(),
  })
  .meta({ description: 'Source pixels, inclusive: the crop is x1 - x0 + 1 wide and y1 - y0 + 1 high.' });

export const osdSchema = z
  .object({ enable: z.boolean() })
  .meta({ description: 'Draw boxes and labels into clips and live video.' });

const faultSeconds = z.number().min(0).max(86_400).optional();

/** Ours. */
export const cameraHealthSchema = z
  .object({
    enable: z.boolean().optional().meta({ default: true }),
    blackSeconds: faultSeconds.meta({ default: 3, description: 'Seconds that it has to last; 0 switches it off.' }),
    coveredSeconds: faultSeconds.meta({ default: 5 }),
    blurredSeconds: faultSeconds.meta({ default: 10 }),
    frozenSeconds: faultSeconds.meta({ default: 20 }),
    movedSeconds: faultSeconds.meta({ default: 10, description: 'Set 0 for a camera that pans.' }),
    sensitivity: z.number().min(0.25).max(4).optional().meta({
      default: 1,
      description: '2 tells smaller faults (and more that are none), 0.5 only gross ones.',
    }),
  })
  .meta({ description: 'Whether the view of the cameras is worth looking at: events, and a mark on those of rules.' });

export const pipelineOptionsSchema = z.object({
  dewarp: dewarpSchema.optional(),
  crop: cropSchema.optional(),
  osd: osdSchema.optional(),
  analytics: analyticsSchema.optional(),
  cameraHealth: cameraHealthSchema.optional(),
});

export const pipelineConfigSchema = z
  .object({
    id: name.meta({ description: 'Unique. The inference id, the prefix of clip names and the RTSP mount.' }),
    unsecureZipUrl: text
      .optional()
      .meta({ description: 'http, https or file URL of a zip with the model files; empty for local paths.' }),
    sha256: z
      .string()
      .regex(/^[0-9a-fA-F]{64}$/, 'must be 64 hexadecimal digits')
      .optional()
      .meta({ description: 'Digest the zip must have. Ours.' }),
    primaryModelConfigPath: z.union([text, primaryModelSchema]).optional(),
    secondaryModelConfigPaths: z
      .union([text, secondaryModelSchema, z.array(z.union([text, secondaryModelSchema])).max(16)])
      .optional()
      .meta({ description: 'Models that run on the objects of the primary one, in this order.' }),
    trackerConfigPath: text.optional().meta({ description: 'Empty, light-tracker, or a tracker configuration file.' }),
    deepstreamPassthrough: z
      .string()
      .max(16_384)
      .optional()
      .meta({ description: 'gst-launch text that replaces the whole pipeline.' }),
    pipelineOptions: pipelineOptionsSchema.optional(),
  })
  .meta({ description: 'What is done with the pictures of the streams that name it.' });

export const streamSchema = z
  .object({
    name: name.meta({ description: 'The name of a sensor. A sensor feeds one pipeline only.' }),
    uname: text.optional().meta({ description: 'User name for the camera; empty for none.' }),
    password: text.optional(),
    configId: name.meta({ description: 'The id of a pipelineConfig.' }),
  })
  .meta({ description: 'Connects a sensor with a pipeline.' });

export const deepStreamSchema = z.object({
  enable: z.boolean().optional().meta({ description: 'false stops all pipelines. Default true.' }),
  pipelineConfigs: z.array(pipelineConfigSchema).max(64).optional(),
  streams: z.array(streamSchema).max(256).optional(),
});

/** Ours: a model that skills name. */
export const skillModelSchema = z
  .object({
    name: name.meta({ description: 'What model nodes of skills call it. Unique.' }),
    unsecureZipUrl: text.optional().meta({ description: 'http, https or file URL of a zip; empty for local paths.' }),
    sha256: z
      .string()
      .regex(/^[0-9a-fA-F]{64}$/, 'must be 64 hexadecimal digits')
      .optional(),
    configFile: text.meta({ description: 'nvinfer or nvinferserver configuration file.' }),
    pyFile: text.optional().meta({ description: 'Python output parser. Wins over jsFile and parser.' }),
    jsFile: text.optional().meta({ description: 'JavaScript or TypeScript output parser.' }),
    parser: text.optional().meta({ description: 'Built-in output parser.' }),
    type: z
      .enum(['detection', 'classification'])
      .optional()
      .meta({ description: 'A classifier behind a detector looks at its objects. Default detection.' }),
  })
  .meta({ description: 'A model for skills.' });

const parametersSchema = z.record(z.string().max(128), z.union([text, z.number(), z.boolean()])).meta({
  description: 'Values for the parameters that the skill declares.',
});

export const skillSensorSchema = z.object({
  name: name.meta({ description: 'The name of a sensor.' }),
  uname: text.optional().meta({ description: 'User name for the camera; empty for none.' }),
  password: text.optional(),
  parameters: parametersSchema.optional().meta({ description: 'For this camera only.' }),
});

export const skillInstanceSchema = z
  .object({
    id: name.meta({ description: 'Unique among instances and pipelineConfigs; instance_id of insights.' }),
    displayName: text.optional(),
    sensors: z
      .array(z.union([name, skillSensorSchema]))
      .max(256)
      .meta({ description: 'Names of sensors.' }),
    parameters: parametersSchema.optional(),
  })
  .meta({ description: 'A skill at work on some cameras.' });

export const skillSchema = z
  .object({
    id: name.meta({ description: 'Unique; skill_id of insights.' }),
    document: z
      .union([text, z.record(z.string(), z.unknown())])
      .optional()
      .meta({ description: 'The skill as JSON or as Symphony YAML text; or its fields stand beside id.' }),
    displayName: text.optional(),
    parameters: z
      .record(z.string(), z.unknown())
      .optional()
      .meta({ description: 'Declared parameters and their defaults.' }),
    nodes: z.array(z.unknown()).max(128).optional().meta({ description: 'id, type, name and configurations of each.' }),
    edges: z.array(z.unknown()).max(1024).optional().meta({ description: 'source.node and target.node of each.' }),
    instances: z.array(skillInstanceSchema).max(64).optional().meta({ description: 'None: the skill does not run.' }),
  })
  .meta({ description: 'An AI Skill: a graph of nodes (docs/skills.md).' });

/** The body of a message on output `DeepStream` (C.1), and the value of `azdaConfiguration.components`. */
export const componentsSchema = z
  .object({
    logLevel: z
      .string()
      .optional()
      .meta({ description: 'For all modules.', examples: [...LOG_LEVELS] }),
    regionsOfInterest: z
      .array(regionOfInterestSchema)
      .optional()
      .meta({ description: 'Flat form: each region names its sensor.' }),
    sensors: z.array(sensorSchema).max(256).optional(),
    deepStream: deepStreamSchema.optional(),
    models: z.array(skillModelSchema).max(64).optional().meta({ description: 'Models that skills name. Ours.' }),
    skills: z
      .array(skillSchema)
      .max(64)
      .optional()
      .meta({ description: 'AI Skills beside or instead of pipelines. Ours.' }),
    businessLogicConfig: z
      .record(z.string(), z.unknown())
      .optional()
      .meta({ description: 'For your BusinessLogicModule; passed through.' }),
  })
  .meta({ title: 'components' });

export const azdaConfigurationSchema = z.object({
  platform: z
    .string()
    .optional()
    .meta({ description: 'DeepStream', examples: ['DeepStream'] }),
  components: componentsSchema,
});

/** Desired properties of the controllermodule. */
export const controllerTwinSchema = z
  .object({ azdaConfiguration: azdaConfigurationSchema })
  .meta({ title: 'controllermodule twin' });

export type ControllerTwin = DeepReadonly<z.infer<typeof controllerTwinSchema>>;
export type ComponentsMessage = DeepReadonly<z.infer<typeof componentsSchema>>;

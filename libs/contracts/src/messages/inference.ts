import { z } from 'zod';
import type { DeepReadonly } from '../json.ts';

/** The inference envelope (contract C.2): ai-pipeline output `inference`, and, with every frame of a clip, the clip's JSON (C.3). */

export const SCHEMA_VERSION = '0.1';

export const sourceInfoSchema = z.object({
  id: z.string().meta({ description: 'Sensor name.' }),
  timestamp: z.string().meta({ description: 'Capture time of the frame, ISO 8601.' }),
  width: z.number().meta({ description: 'Pixels of the source frame.' }),
  height: z.number(),
  frameId: z.number().meta({ description: 'Counts the frames of the source.' }),
});

/** What a model besides the one that found it says about an object. Ours: the original has no place for it. */
export const attributeSchema = z.object({
  name: z.string().meta({ description: 'What was asked: the classifier-type, or the output of the model.' }),
  label: z.string(),
  classId: z.number(),
  confidence: z.number().meta({ description: '0..1' }),
  unique_component_id: z.number().meta({ description: 'gie-unique-id of the model that says so.' }),
});

export const textSchema = z.object({ text: z.string(), confidence: z.number().meta({ description: '0..1' }) });

/** A detected object. */
export const detectionSchema = z.object({
  classId: z.number(),
  confidence: z.number().meta({ description: '0..1' }),
  label: z.string(),
  rect: z
    .tuple([z.number(), z.number(), z.number(), z.number()])
    .meta({ description: '[left, top, width, height] as fractions 0..1 of the frame, origin top left.' }),
  id: z.string().meta({ description: 'Unique per detection.' }),
  unique_component_id: z.number().meta({ description: 'gie-unique-id of the model that produced it.' }),
  tracking_id: z.number().meta({ description: '-1 when untracked.' }),
  customInfo: z.unknown().optional().meta({ description: 'What a secondary parser said about this object.' }),
  attributes: z.array(attributeSchema).optional().meta({ description: 'What secondary classifiers say.' }),
  text: textSchema.optional().meta({ description: 'What a secondary text reader reads.' }),
  keypoints: z
    .array(z.tuple([z.number(), z.number(), z.number()]))
    .optional()
    .meta({ description: 'Joints: [x, y, score], x and y as fractions 0..1 of the frame.' }),
  points: z
    .array(z.tuple([z.number(), z.number()]))
    .optional()
    .meta({ description: 'Landmarks or corners: [x, y] as fractions 0..1 of the frame.' }),
  embedding: z.array(z.number()).optional().meta({ description: 'What it looks like, of length 1.' }),
  parentId: z.string().optional().meta({ description: 'id of the detection that a secondary found it on.' }),
});

export const detectionInferenceSchema = z.object({
  sourceInfo: sourceInfoSchema,
  type: z.literal('detection'),
  id: z.string().meta({ description: 'The id of the pipelineConfig.' }),
  detections: z.array(detectionSchema),
});

export const customInferenceSchema = z.object({
  sourceInfo: sourceInfoSchema,
  type: z.literal('custom'),
  id: z.string(),
  detections: z.array(z.unknown()).meta({ description: 'Any JSON from a parser.' }),
});

export const classificationInferenceSchema = z.object({
  sourceInfo: sourceInfoSchema,
  type: z.literal('classification'),
  id: z.string(),
  detections: z.array(z.object({ classId: z.number(), confidence: z.number(), label: z.string() })),
});

export const segmentationInferenceSchema = z.object({
  sourceInfo: sourceInfoSchema,
  type: z.literal('segmentation'),
  id: z.string(),
  detections: z.array(
    z.object({
      nClasses: z.number(),
      height: z.number(),
      width: z.number(),
      classMap: z.array(z.number()).meta({ description: 'width * height class ids, row by row.' }),
      labels: z.array(z.string()),
    }),
  ),
});

export const inferenceSchema = z.discriminatedUnion('type', [
  detectionInferenceSchema,
  customInferenceSchema,
  classificationInferenceSchema,
  segmentationInferenceSchema,
]);

/** An event of a rule (C.2, end). */
export const eventSchema = z.object({
  id: z.string(),
  type: z.string().meta({ examples: ['personCountEvent'] }),
  zone: z.string().optional().meta({ description: 'Label of the region.' }),
  sensor: z.string().optional(),
  userDefinedData: z.unknown().optional(),
});

/** A region as messages carry it: complete, with its sensor (B.2). */
export const messageRegionSchema = z.object({
  label: z.string(),
  color: z.string(),
  coordinates: z.array(z.tuple([z.number(), z.number()])),
  sensor: z.string(),
});

export const inferenceMessageSchema = z
  .object({
    schemaVersion: z.string().meta({ examples: [SCHEMA_VERSION] }),
    events: z.array(eventSchema),
    regionsOfInterest: z
      .array(messageRegionSchema)
      .meta({ description: 'All regions of all sensors of this pipeline.' }),
    inferences: z.array(inferenceSchema),
  })
  .meta({ title: 'inference message' });

/** The JSON file beside a clip: the same envelope, `inferences` holds every frame of the clip (C.3). */
export const clipDocumentSchema = inferenceMessageSchema.meta({ title: 'clip document' });

export type SourceInfo = DeepReadonly<z.infer<typeof sourceInfoSchema>>;
export type DetectionEntry = DeepReadonly<z.infer<typeof detectionSchema>>;
export type DetectionInference = DeepReadonly<z.infer<typeof detectionInferenceSchema>>;
export type ClassificationInference = DeepReadonly<z.infer<typeof classificationInferenceSchema>>;
export type SegmentationInference = DeepReadonly<z.infer<typeof segmentationInferenceSchema>>;
export type CustomInference = DeepReadonly<z.infer<typeof customInferenceSchema>>;
export type Inference = DeepReadonly<z.infer<typeof inferenceSchema>>;
export type InferenceEvent = DeepReadonly<z.infer<typeof eventSchema>>;
export type RegionOfInterest = DeepReadonly<z.infer<typeof messageRegionSchema>>;
export type InferenceMessage = DeepReadonly<z.infer<typeof inferenceMessageSchema>>;
export type ClipDocument = DeepReadonly<z.infer<typeof clipDocumentSchema>>;

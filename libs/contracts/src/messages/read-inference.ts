import { isObject } from '../json.ts';
import {
  eventSchema,
  inferenceSchema,
  messageRegionSchema,
  SCHEMA_VERSION,
  type InferenceMessage,
} from './inference.ts';

/**
 * Reads an inference envelope (C.2) leniently: entries that do not fit are left out and counted, so that a consumer
 * survives types it does not know. Undefined when there is no list of inferences at all.
 */
export function readInferenceMessage(
  body: unknown,
): { readonly message: InferenceMessage; readonly ignored: number } | undefined {
  if (!isObject(body) || !Array.isArray(body['inferences'])) return undefined;
  let ignored = 0;
  const fitting = <Item>(list: unknown, parse: (item: unknown) => { success: boolean; data?: Item }): Item[] =>
    (Array.isArray(list) ? (list as unknown[]) : []).flatMap((item) => {
      const result = parse(item);
      if (result.success && result.data !== undefined) return [result.data];
      ignored += 1;
      return [];
    });
  const message: InferenceMessage = {
    schemaVersion: typeof body['schemaVersion'] === 'string' ? body['schemaVersion'] : SCHEMA_VERSION,
    events: fitting(body['events'], (item) => eventSchema.safeParse(item)),
    regionsOfInterest: fitting(body['regionsOfInterest'], (item) => messageRegionSchema.safeParse(item)),
    inferences: fitting(body['inferences'], (item) => inferenceSchema.safeParse(item)),
  };
  return { message, ignored };
}

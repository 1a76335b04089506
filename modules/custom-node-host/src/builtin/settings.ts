import type { z } from 'zod';
import { closest, pathOf, type JsonObject } from '@vantage/contracts';
import { settingsInvalid } from '../errors.ts';

/**
 * The settings of a built-in node.
 *
 * @throws VantageError `HOSTED_NODE_SETTINGS_INVALID` that names each key that is wrong
 */
export function readSettings<Shape extends z.ZodRawShape>(
  builtin: string,
  schema: z.ZodObject<Shape>,
  settings: JsonObject,
): z.output<z.ZodObject<Shape>> {
  const known = Object.keys(schema.shape);
  const problems = Object.keys(settings)
    .filter((key) => !known.includes(key))
    .map((key) => {
      const near = closest(key, known);
      return `settings.${key} is not known${near === undefined ? `; there are ${known.join(', ')}` : `, did you mean ${near}`}`;
    });
  const parsed = schema.safeParse(settings);
  for (const issue of parsed.error?.issues ?? [])
    problems.push(`${pathOf('settings', ...issue.path)}: ${issue.message}`);
  if (parsed.success && problems.length === 0) return parsed.data;
  throw settingsInvalid(`${builtin}: ${problems.join('; ')}`);
}

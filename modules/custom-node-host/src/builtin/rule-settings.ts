import { z } from 'zod';

/** Which objects a rule looks at: the settings that all of them have. */
export const ruleScope = {
  /** Empty: all. */
  labels: z.array(z.string().min(1).max(256)).max(256).default([]),
  minConfidence: z.number().min(0).max(1).default(0),
  anchor: z.enum(['bottomCentre', 'centre']).default('bottomCentre'),
} as const;

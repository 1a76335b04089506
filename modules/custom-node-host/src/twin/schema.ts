import { z } from 'zod';
import { BUILTIN_NAMES } from '../builtin/names.ts';

/** What a node may do when its twin says nothing. Milliseconds, MiB, calls. */
export const NODE_DEFAULTS = { deadlineMs: 5000, memoryMiB: 1024, maxInFlight: 4 } as const;

/** Nodes of one host. */
export const MAX_NODES = 32;

const file = z.string().min(1).max(1024);

/** One item of `nodes`. */
export const nodeSchema = z
  .object({
    builtin: z.enum(BUILTIN_NAMES).optional().meta({ description: 'A node that comes with the module.' }),
    folder: file.optional().meta({ description: 'A folder of this machine (of the container) with the code.' }),
    zip: z
      .object({
        url: z.string().min(1).max(4096).meta({ description: 'http, https or file URL, or a path.' }),
        sha256: z
          .string()
          .regex(/^[0-9a-fA-F]{64}$/, 'expected 64 hexadecimal digits')
          .optional(),
      })
      .optional()
      .meta({ description: 'A zip with the code.' }),
    language: z
      .enum(['typescript', 'javascript', 'python'])
      .optional()
      .meta({ description: 'Default: by the ending of the entry.' }),
    entry: file.optional().meta({
      description: 'The file with the node, relative to folder or zip. Default: node.ts, node.js, node.py and so on.',
    }),
    port: z.int().min(0).max(65_535).meta({ description: 'Port of the node alone; 0 takes a free one.' }),
    route: z
      .string()
      .regex(/^\/[A-Za-z0-9][A-Za-z0-9/_-]*$/, 'expected a route such as /flip')
      .optional()
      .meta({ description: 'Part of the reported endpoint. gRPC itself has no routes; clients leave it out.' }),
    settings: z.record(z.string(), z.json()).optional().meta({ description: "The node's own." }),
    deadlineMs: z.int().min(50).max(600_000).optional().meta({
      description: 'Milliseconds that a call may take.',
      default: NODE_DEFAULTS.deadlineMs,
    }),
    memoryMiB: z.int().min(64).max(65_536).optional().meta({
      description: 'Private memory that the process may use.',
      default: NODE_DEFAULTS.memoryMiB,
    }),
    maxInFlight: z.int().min(1).max(64).optional().meta({
      description: 'Calls that the node works on at once; as many more wait.',
      default: NODE_DEFAULTS.maxInFlight,
    }),
    env: z
      .record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,127}$/, 'expected the name of a variable'), z.string())
      .optional()
      .meta({ description: 'Environment variables of the process.' }),
    token: z.string().min(1).max(1024).optional().meta({ description: 'Clients have to send it. A secret.' }),
    tls: z
      .object({ certFile: file, keyFile: file })
      .optional()
      .meta({ description: 'PEM files; the node is served by TLS.' }),
  })
  .meta({ description: 'A node. Exactly one of builtin, folder and zip.' });

export const hostTwinSchema = z
  .object({
    nodes: z
      .record(z.string(), nodeSchema)
      .optional()
      .meta({
        description: `At most ${MAX_NODES} nodes by name: a letter, then letters, digits, - and _.`,
      }),
    logLevel: z.enum(['trace', 'debug', 'information', 'warning', 'error', 'critical']).optional(),
  })
  .meta({ title: 'custom-node-host twin' });

/** The schema for editors (`twin.schema.json`). */
export function twinJsonSchema(): unknown {
  return z.toJSONSchema(hostTwinSchema, { io: 'input', target: 'draft-7' });
}

import type { Region, Rule, RuleArea, TrackerNode } from '../../graph.ts';
import type { Fields } from '../fields.ts';
import type { NodeType, ReadNode } from './node-type.ts';
import { readLabels, readScope, readThreshold } from './scope.ts';

type Coordinates = Region['coordinates'];

const DAY = { min: 0, max: 86_400 } as const;

export const filter: NodeType = {
  type: 'transform',
  name: 'filter_transform',
  label: 'Filter',
  read: (fields, { id }) => ({
    kind: 'node',
    node: { kind: 'filter', id, labels: readLabels(fields), minConfidence: readThreshold(fields) },
  }),
};

export const tracker: NodeType = {
  type: 'transform',
  name: 'tracker',
  label: 'Track objects',
  read(fields, { id }) {
    const algorithm = fields.choice(
      'algorithm',
      ['light', 'file'] as const,
      fields.has('config_file') ? 'file' : 'light',
    );
    const url = fields.text('package_url');
    if (algorithm === 'light') {
      if (fields.has('config_file')) fields.warn('config_file', 'has no effect, because the algorithm is light');
      return { kind: 'node', node: { kind: 'tracker', id, algorithm } };
    }
    const configFile = fields.required('config_file', 'a DeepStream tracker configuration');
    if (configFile === undefined) return undefined;
    const node: TrackerNode = {
      kind: 'tracker',
      id,
      algorithm,
      configFile,
      ...(url === undefined ? {} : { package: { url } }),
    };
    return { kind: 'node', node };
  },
};

export const zone: NodeType = {
  type: 'transform',
  name: 'zone',
  label: 'Watch a zone',
  read(fields, { id }) {
    const rule = fields.choice('rule', ['presence', 'dwell', 'crowding'] as const, 'presence');
    const area = readArea(fields);
    if (area === undefined && !fields.has('region') && !fields.has('polygon')) {
      fields.error('region', 'is missing: name a region of the camera, or give a polygon');
    }
    const scope = readScope(fields);
    const read = ((): Rule | undefined => {
      const at = area ?? { polygon: [] };
      switch (rule) {
        case 'presence':
          return { ...scope, type: rule, area: at, holdSeconds: fields.number('hold_seconds', 2, DAY, 'seconds') };
        case 'dwell': {
          const holdSeconds = fields.number('hold_seconds', 1, DAY, 'seconds');
          return { ...scope, type: rule, area: at, seconds: fields.number('seconds', 10, DAY, 'seconds'), holdSeconds };
        }
        case 'crowding': {
          const forSeconds = fields.number('for_seconds', 2, DAY, 'seconds');
          return {
            ...scope,
            type: rule,
            area: at,
            atLeast: fields.whole('at_least', 2, { min: 1, max: 10_000 }),
            forSeconds,
          };
        }
      }
    })();
    return area && ruleNode(id, read);
  },
};

const DIRECTIONS = { both: 'both', left_to_right: 'leftToRight', right_to_left: 'rightToLeft' } as const;

export const lineCrossing: NodeType = {
  type: 'transform',
  name: 'line_crossing',
  label: 'Watch a line',
  read(fields, { id }) {
    const chosen = fields.choice('direction', ['both', 'left_to_right', 'right_to_left'] as const, 'both');
    const scope = readScope(fields);
    const form = 'two points as fractions 0..1 of the picture: [[0.1, 0.5], [0.9, 0.5]]';
    if (fields.required('line', form) === undefined) return undefined;
    const points = readPoints(fields, 'line', form, 2, 2);
    const [from, to] = points ?? [];
    if (!from || !to) return undefined;
    if (from[0] === to[0] && from[1] === to[1]) fields.error('line', 'its two points are the same');
    return ruleNode(id, { ...scope, type: 'lineCrossing', line: [from, to], direction: DIRECTIONS[chosen] });
  },
};

export const counter: NodeType = {
  type: 'transform',
  name: 'counter',
  label: 'Count objects',
  read(fields, { id }) {
    const area = readArea(fields);
    const asked = fields.has('region') || fields.has('polygon');
    const windowSeconds = fields.number('window_seconds', 0, DAY, 'seconds');
    const scope = readScope(fields);
    if (asked && !area) return undefined;
    return ruleNode(id, { ...scope, type: 'counter', windowSeconds, ...(area ? { area } : {}) });
  },
};

export const speed: NodeType = {
  type: 'transform',
  name: 'speed',
  label: 'Measure speed',
  read(fields, { id }) {
    const metresPerPixel = fields.optionalNumber('metres_per_pixel', { min: 1e-6, max: 1000 });
    const overSeconds = fields.number('over_seconds', 1, { min: 0.1, max: 60 }, 'seconds');
    const scope = readScope(fields);
    return ruleNode(id, {
      ...scope,
      type: 'speed',
      overSeconds,
      ...(metresPerPixel === undefined ? {} : { metresPerPixel }),
    });
  },
};

function ruleNode(id: string, rule: Rule | undefined): ReadNode | undefined {
  return rule && { kind: 'node', node: { kind: 'rule', id, rule } };
}

const MAX_CORNERS = 64;

/** `region` (a label of the camera's regions of interest) or `polygon`. */
function readArea(fields: Fields): RuleArea | undefined {
  const region = fields.text('region');
  if (region !== undefined) {
    if (fields.has('polygon')) fields.error('polygon', 'give a region or a polygon, not both');
    return { region };
  }
  const form = 'three corners or more as fractions 0..1 of the picture: [[0, 0], [0.5, 0], [0.5, 1]]';
  const polygon = readPoints(fields, 'polygon', form, 3, MAX_CORNERS);
  return polygon && { polygon };
}

function readPoints(fields: Fields, key: string, form: string, min: number, max: number): Coordinates | undefined {
  const read = fields.json(key, form);
  if (!read) return undefined;
  const points = Array.isArray(read.value) ? (read.value as readonly unknown[]).map(pointIn) : [];
  const good = points.filter((point) => point !== undefined);
  if (good.length === points.length && good.length >= min && good.length <= max) return good;
  fields.error(key, `expected ${form}`);
  return undefined;
}

function pointIn(value: unknown): readonly [number, number] | undefined {
  if (!Array.isArray(value) || value.length !== 2) return undefined;
  const [x, y] = value as readonly unknown[];
  const isPart = (part: unknown): part is number => typeof part === 'number' && part >= 0 && part <= 1;
  return isPart(x) && isPart(y) ? [x, y] : undefined;
}

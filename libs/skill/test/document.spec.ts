import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { CORE_SCHEMA, load } from 'js-yaml';
import {
  checkSkill,
  parameterValues,
  parseSkill,
  parseSkills,
  substituteNode,
  toBareSkill,
  toSymphonySkill,
  toSymphonyYaml,
} from '../src/index.ts';
import { CAMERA, DETECTOR, HUB, issuesOf, linesOf, skillOf } from './skill-fixture.ts';

/** Built like Symphony's template for finding people: camera, model, filter, snippet. */
const PEOPLE = `
# Rooms where people are
apiVersion: ai.symphony/v1
kind: Skill
metadata:
  name: people-skill
  labels: { team: shop }
spec:
  displayName: people-skill
  parameters:
    rtsp: invalid
    fps: invalid
    device_id: invalid
    instance_displayname: invalid
    skill_displayname: invalid
    device_displayname: invalid
    fpsRetrieve: "15"
    accelerationRetrieve: CPU
  edges:
  - { source: { node: "0", route: f }, target: { node: "1", route: f } }
  - { source: { node: "1", route: f }, target: { node: "3", route: f } }
  - { source: { node: "3", route: f }, target: { node: "5", route: f } }
  nodes:
  - { id: "0", type: source, name: rtsp, configurations: { ip: $param(rtsp), fps: $param(fps), device_name: $param(device_id) } }
  - { id: "1", type: model, name: person-detection, configurations: { confidence_lower: "0", confidence_upper: "0", max_images: "0" } }
  - { id: "3", type: transform, name: filter_transform, configurations: { labels: '["person"]', confidence_threshold: "80" } }
  - id: "5"
    type: export
    name: video_snippet_export
    configurations:
      filename_prefix: rev
      recording_duration: "10"
      insights_overlay: "true"
      delay_buffer: "2"
      instance_displayname: $param(instance_displayname)
      skill_displayname: $param(skill_displayname)
      device_displayname: $param(device_displayname)
`;

/** Built like Symphony's sample of a skill with parameters, which nobody ever connected, and its instance. */
const LOOSE = `
apiVersion: ai.symphony/v1
kind: Skill
metadata: { name: loose-skill, labels: { foo: bar } }
spec:
  parameters: { delay_buffer: "0.1", recording_duration: "10", insights_overlay: "true" }
  nodes:
  - { id: "1", type: source, name: rtsp, outputs: [{ route: f, type: frame }] }
  - { id: "2", type: model, name: model, model: object-detection }
  - { id: "3", type: transform, name: filter_transform, inputs: [{ route: f, type: frame }] }
  - id: "4"
    type: export
    name: video_snippet_export
    configurations:
      filename_prefix: test
      recording_duration: $param(recording_duration)
      insights_overlay: $param(insights_overlay)
      delay_buffer: $param(delay_buffer)
  - { id: "5", type: export, name: iothub_export, configurations: { delay_buffer: $param(delay_buffer) } }
  - { id: "6", type: export, name: iotedge_export, configurations: { delay_buffer: "0.3", module_name: hi } }
  edges:
  - { source: { node: "1", route: f }, target: { node: "3", route: f } }
---
apiVersion: solution.symphony/v1
kind: Instance
metadata: { name: an-instance }
spec:
  pipelines:
  - { name: pipeline1, skill: loose-skill, parameters: { delay_buffer: "0.2", recording_duration: "20", insights_overlay: "false" } }
  - { name: pipeline2, skill: loose-skill, parameters: { delay_buffer: 0.3, recording_duration: 30, insights_overlay: true, more: x } }
`;

describe('reading', () => {
  test('a skill of Symphony: 4 nodes, 3 edges, nothing to complain about (H 24)', () => {
    const { document } = parseSkill(PEOPLE);
    expect(issuesOf(PEOPLE)).toEqual([]);
    expect([document!.name, document!.nodes.length, document!.edges.length]).toEqual(['people-skill', 4, 3]);
    expect(document!.nodes[2]!.configurations.get('labels')).toBe('["person"]');
  });

  test('a skill that nobody connected is read and kept, and each loose end is named (H 24)', () => {
    const { skills, instances } = parseSkills(LOOSE);
    const [{ document }] = skills as [(typeof skills)[number]];
    expect([document.nodes.length, document.edges.length, document.nodes[1]!.model]).toEqual([
      6,
      1,
      'object-detection',
    ]);
    const lines = linesOf(checkSkill(document)).filter((line) => line.includes('connected'));
    expect(lines.map((line) => line.split(' ')[1])).toEqual(['2', '2', '3', '4', '5', '6']);
    expect(instances[0]).toMatchObject({ name: 'an-instance', pipelines: [{ skill: 'loose-skill' }, {}] });
  });

  test('parameters: defaults, then what a pipeline sets; names that are not declared have no effect (H 24)', () => {
    const { skills, instances } = parseSkills(LOOSE);
    const { document } = skills[0]!;
    const values = (...layers: Parameters<typeof parameterValues>[1][]) => {
      const { configurations } = substituteNode(document.nodes[3]!, parameterValues(document, ...layers));
      return ['delay_buffer', 'recording_duration', 'insights_overlay'].map((key) => configurations.get(key));
    };
    expect(values()).toEqual(['0.1', '10', 'true']);
    const [first, second] = instances[0]!.pipelines;
    expect(values(undefined, first!.parameters)).toEqual(['0.2', '20', 'false']);
    expect(values(first!.parameters, second!.parameters)).toEqual(['0.3', '30', 'true']);
    expect([...parameterValues(document, second!.parameters).keys()]).toEqual([...document.parameters.keys()]);
  });

  test('a value that looks like a parameter is not put in again', () => {
    const { document } = parseSkill(
      skillOf([CAMERA, DETECTOR, HUB], undefined, { rtsp: '$param(fps)', fps: '5', device_id: 'x' }),
    );
    const camera = substituteNode(document!.nodes[0]!, parameterValues(document!));
    expect(camera.configurations.get('ip')).toBe('$param(fps)');
  });

  test.each<[string, unknown, RegExp]>([
    ['nothing', '', /there is no skill in it|empty/],
    ['no object', '[1, 2]', /a skill is an object/],
    ['neither JSON nor YAML', '{"nodes": [', /neither JSON nor YAML: .*\(1:\d+\)/],
    ['a bomb of aliases', bomb(), /neither JSON nor YAML/],
    ['deep nesting', '['.repeat(100_000), /neither JSON nor YAML: .*32/],
    ['deep nesting without brackets', '- '.repeat(100_000), /neither JSON nor YAML: .*32/],
    ['too long', `a: ${'x'.repeat(600_000)}`, /longer than 262144 characters/],
    ['nodes that are no list', { nodes: 5, edges: [] }, /nodes: expected a list/],
    ['a node that is no object', skillOf([CAMERA, 7 as never]), /nodes\[1\].*expected object/],
    ['a node without an id', { nodes: [{ type: 'source', name: 'rtsp' }] }, /nodes\[0\]\.id: is missing/],
    ['200 nodes', { nodes: Array.from({ length: 200 }, (_, id) => ({ ...CAMERA, id: String(id) })) }, /200 items/],
    ['a number', 5, /a skill is an object/],
    ['null', null, /a skill is an object/],
  ])('%s is reported and nothing is thrown', (_name, input, expected) => {
    expect(linesOf(issuesOf(input)).join('\n')).toMatch(expected);
  });

  test('nothing that anybody writes makes it throw', () => {
    const scrap = fc.oneof(fc.string(), fc.anything({ withNullPrototype: true }), fc.json());
    const node = fc.record({ id: fc.anything(), type: fc.constantFrom('source', 'model', 'x'), name: fc.string() });
    const near = fc.record({ nodes: fc.array(node), edges: fc.array(fc.anything()), parameters: fc.anything() });
    fc.assert(fc.property(fc.oneof(scrap, near), (input) => expect(Array.isArray(issuesOf(input))).toBe(true)));
  });
});

describe('writing', () => {
  test('Symphony to the bare form and back: nothing is lost, not even what nobody knows', () => {
    const { document } = parseSkill(PEOPLE);
    const bare = toBareSkill(document!);
    expect(bare).toMatchObject({ symphony: { metadata: { labels: { team: 'shop' } } }, displayName: 'people-skill' });
    const again = parseSkill(JSON.stringify(bare)).document!;
    expect(again.name).toBe('people-skill');
    expect(toSymphonySkill(again)).toEqual(load(PEOPLE, { schema: CORE_SCHEMA }));
    expect(load(toSymphonyYaml(again), { schema: CORE_SCHEMA })).toEqual(load(PEOPLE, { schema: CORE_SCHEMA }));
  });

  test('texts that look like numbers stay texts', () => {
    const texts = { labels: '["0x10"]', confidence_threshold: '080', more: 'yes', date: '2020-01-01', empty: '' };
    const skill = skillOf([CAMERA, { ...DETECTOR, configurations: texts }, HUB]);
    const [, node] = parseSkill(toSymphonyYaml(parseSkill(skill).document!)).document!.nodes;
    expect(Object.fromEntries(node!.configurations)).toEqual(texts);
  });

  test('a bare skill gets the head that Symphony needs', () => {
    const { apiVersion, kind, metadata } = toSymphonySkill(parseSkill(skillOf([CAMERA])).document!);
    expect([apiVersion, kind, metadata]).toEqual(['ai.symphony/v1', 'Skill', { name: 'gate' }]);
  });

  test('whatever fields it has, a skill that is written and read again is the same', () => {
    const extra = fc.dictionary(
      fc.string({ minLength: 1 }).filter((key) => key !== '__proto__'),
      fc.jsonValue({ maxDepth: 3 }),
    );
    fc.assert(
      fc.property(extra, (more) => {
        const skill = { ...skillOf([CAMERA, DETECTOR, HUB]), extension: more };
        const { document } = parseSkill(toSymphonyYaml(parseSkill(skill).document!));
        const bare = { ...toBareSkill(document!), symphony: undefined };
        expect(JSON.stringify(bare)).toBe(JSON.stringify(skill));
      }),
      { numRuns: 50 },
    );
  });
});

/** 9 levels of ten aliases each. */
function bomb(): string {
  const levels = Array.from({ length: 9 }, (_, level) => {
    const items = Array.from({ length: 10 }, () => (level === 0 ? 'x' : `*a${level - 1}`));
    return `a${level}: &a${level} [${items.join(', ')}]`;
  });
  return `${levels.join('\n')}\nnodes: *a8\n`;
}

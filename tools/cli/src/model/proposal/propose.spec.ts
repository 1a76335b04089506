import { expect, test } from '@jest/globals';
import type { OnnxModel, OnnxValue } from '@vantage/onnx';
import { configText } from './config-text.ts';
import { namesIn, readMetadata } from './metadata.ts';
import { propose, type Proposal } from './propose.ts';

const value = (name: string, ...dims: (number | string)[]): OnnxValue => ({ name, type: 'float32', dims });

function proposalFor(inputs: OnnxValue[], outputs: OnnxValue[], metadata: Record<string, string> = {}): Proposal {
  const model: OnnxModel = {
    ...{ irVersion: 8, opsets: new Map(), producer: '', domain: '', modelVersion: 0, description: '', graphName: '' },
    ...{ inputs, outputs, initializers: [], operators: new Map(), externalFiles: [] },
    metadata: new Map(Object.entries(metadata)),
  };
  return propose({ model, onnxFile: 'm.onnx' });
}

test('Ultralytics: names and size from the metadata, letterboxed from 0 to 1', () => {
  const proposal = proposalFor(
    [value('images', 'batch', 3, 'height', 'width')],
    [value('output0', 'batch', 6, 'anchors')],
    {
      names: `{0: 'cat', 1: "dog's"}`,
      imgsz: '[320, 416]',
      task: 'detect',
    },
  );
  expect(proposal.labels?.names).toEqual(['cat', "dog's"]);
  expect(proposal.size).toEqual({ width: 416, height: 320 });
  const text = configText(proposal, 'm.onnx');
  expect(text).toMatch(/^# yolov8: .*\nnetwork-type=0\nnum-detected-classes=2\n/m);
  expect(text).toContain('\ninfer-dims=3;320;416\n');
  expect(text).toContain('\nsymmetric-padding=1\nvantage-pad-value=114\n');
});

test('a low and wide input is a line of text, whose steps look like boxes', () => {
  const { choice, size } = proposalFor([value('x', 1, 3, 32, '?')], [value('softmax', 1, '?', 97)]);
  expect([choice.parser.name, size]).toEqual(['ctc-text', { width: 320, height: 32 }]);
});

test('no picture goes in: all inputs are named', () => {
  expect(() => proposalFor([value('tokens', 1, 128)], [value('y', 1, 2)])).toThrow(
    /m\.onnx takes no pictures: its inputs are tokens float32 \[1,128\]/,
  );
});

test('names of a model cannot put lines into a configuration', () => {
  const proposal = proposalFor([value('x', 1, 3, 8, 8)], [value('a\n[property]\nonnx-file=other.onnx\n', 1, 10)]);
  expect(configText(proposal, 'm.onnx').match(/^(\[property\]|onnx-file=.*)$/gm)).toEqual([
    '[property]',
    'onnx-file=m.onnx',
  ]);
});

test.each<[string, string[]]>([
  ['', []],
  ["['a', 'b']", ['a', 'b']],
  ['["a","b"]', ['a', 'b']],
  ['{"0":"a","2":"c"}', ['a', 'class-1', 'c']],
  ['a,b, c', ['a', 'b', 'c']],
  ['one', []],
  ["{0: 'a', 999999: 'b'}", []],
])('names in %j', (text, names) => {
  expect(namesIn(text)).toEqual(names);
});

test('a size that is none', () => {
  expect(readMetadata(new Map([['imgsz', '[0, 9999999]']])).size).toBeUndefined();
});

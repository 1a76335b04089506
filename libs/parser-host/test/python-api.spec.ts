import { expect, test } from '@jest/globals';
import { createBench, describeWithPython, floats } from './support.ts';

const bench = createBench();

describeWithPython('a Python parser (contract D.4)', () => {
  test('detection: boxes in pixels of image_size, names of its labels, a message', async () => {
    const parser = await bench.open(
      'python',
      `
import numpy as np
model_type = 0
name = "boxes"
labels = ["person", "car"]

def parse_det_model(config, raw_outputs):
    if "boxes" not in raw_outputs:
        return [], [], [], None
    rows = raw_outputs["boxes"]
    width, height = config.image_size
    boxes = rows[:, :4] * np.array([width, height, width, height])
    keep = rows[:, 4] > config.det_th
    message = {"seen": len(rows), "size": config.network_size, "nms": config.mns_th, "as": config.get_name()}
    return boxes[keep], rows[keep, 5].astype(np.int), rows[keep, 4], message
`,
    );
    expect(parser.info).toMatchObject({ name: 'boxes', modelType: 'detection', labels: ['person', 'car'] });
    expect(parser.info.runtime).toMatch(/^Python 3\.\d+\.\d+, numpy \d/);
    const rows = [0.1, 0.1, 0.1, 0.1, 0.875, 1, 0.5, 0.5, 0.25, 0.5, 0.25, 0, 0, 0, 1, 1, 0.75, 7];
    const { detections, error, message } = await parser.read([floats('boxes', [1, 3, 6], rows)]);
    expect(error).toBeUndefined();
    expect(message).toEqual({ seen: 3, size: [416, 416], nms: 0.213, as: 'boxes' });
    expect(detections).toHaveLength(2);
    expect(detections?.[0]).toMatchObject({ classId: 1, label: 'car', confidence: 0.875 });
    const { left, top, width, height } = detections![0]!.box;
    [left, top, width, height].forEach((value, i) => expect(value).toBeCloseTo([128, 72, 128, 72][i]!, 4));
    expect(detections?.[1]).toEqual({
      classId: 7,
      label: '---',
      confidence: 0.75,
      box: { left: 0, top: 0, width: 1280, height: 720 },
    });
    expect(bench.log).toEqual([{ level: 'warn', text: 'parser boxes gives class 7, but it has 2 labels' }]);
    expect(await parser.read([])).toEqual({ detections: [] });
    expect(parser.counts).toMatchObject({ read: 2, failed: 0, restarts: 0 });
  });

  test('custom: add_custom_to_meta adds objects, classifications and display meta through pyds', async () => {
    const parser = await bench.open(
      'python',
      `
import pyds
model_type = 1
name = "custom"

def parse_custom_model(config, raw_outputs):
    found = raw_outputs["found"]
    return (None if found[0] < 0 else found), {"found": float(found[0])}

def add_custom_to_meta(self, data, batch_meta, frame_meta):
    frame = pyds.NvDsFrameMeta.cast(batch_meta.frame_meta_list.data)
    assert frame is frame_meta and frame.source_frame_width == self.image_size[0]
    item = pyds.nvds_acquire_obj_meta_from_pool(batch_meta)
    rect = item.rect_params
    rect.left, rect.top, rect.width, rect.height = data[1], data[2], 30, 40
    rect.has_bg_color = 0
    rect.bg_color.set(1, 1, 0, 0.4)
    rect.border_width = 3
    rect.border_color.set(1, 0, 0, 1)
    item.confidence, item.class_id, item.obj_label = data[0], 3, "crate"
    item.object_id = 0xffffffffffffffff
    text = item.text_params
    if text.display_text:
        pyds.free_buffer(text.display_text)
    text.display_text = "crate"
    text.font_params.font_name = "Serif"
    text.font_params.font_color.set(1.0, 1.0, 1.0, 1.0)
    pyds.nvds_add_obj_meta_to_frame(frame_meta, item, None)
    classifier = pyds.nvds_acquire_classifier_meta_from_pool(batch_meta)
    classifier.unique_component_id = 4
    info = pyds.nvds_acquire_label_info_meta_from_pool(batch_meta)
    info.result_class_id, info.result_label, info.result_prob = 1, "open", 0.5
    pyds.nvds_add_label_info_meta_to_classifier(classifier, info)
    pyds.nvds_add_classifier_meta_to_object(item, classifier)
    display = pyds.nvds_acquire_display_meta_from_pool(batch_meta)
    for index in range(2):
        line = display.line_params[index]
        line.x1, line.y1, line.x2, line.y2 = 0, 0, 10, index
        line.line_width = 4
        line.line_color.set(0, 1, 0, 1)
    display.num_lines = 2
    label = display.text_params[0]
    label.display_text, label.x_offset, label.y_offset = "2 lines", 5, 6
    display.num_labels = 1
    pyds.nvds_add_display_meta_to_frame(frame_meta, display)
    listed = frame_meta.obj_meta_list
    while listed is not None:
        try:
            assert pyds.NvDsObjectMeta.cast(listed.data) is item
            listed = listed.next
        except StopIteration:
            break
`,
    );
    expect(parser.info).toMatchObject({ name: 'custom', modelType: 'custom' });
    const answer = await parser.read([floats('found', [3], [0.25, 10, 20])]);
    expect(answer).toEqual({
      detections: [
        {
          classId: 3,
          label: 'crate',
          confidence: 0.25,
          box: { left: 10, top: 20, width: 30, height: 40 },
          attributes: [{ name: '', label: 'open', classId: 1, confidence: 0.5, componentId: 4 }],
        },
      ],
      message: { found: 0.25 },
      overlay: {
        lines: [
          { x1: 0, y1: 0, x2: 10, y2: 0, width: 4, colour: [0, 1, 0, 1] },
          { x1: 0, y1: 0, x2: 10, y2: 1, width: 4, colour: [0, 1, 0, 1] },
        ],
        circles: [],
        rectangles: [],
        texts: [{ x: 5, y: 6, text: '2 lines', size: 10, colour: [1, 1, 1, 1] }],
      },
    });
    expect(await parser.read([floats('found', [3], [-1])])).toEqual({ detections: [], message: { found: -1 } });
  });

  test('secondary: a message of one object, falsy ones too, and no image_size', async () => {
    const parser = await bench.open(
      'python',
      `
import numpy as np
gie_unique_id = 5

def parse_sgie_model(config, raw_outputs):
    best = raw_outputs["scores"].argmax()
    if best == 2:
        return config.image_size
    return np.int64(best)
`,
      { role: 'secondary' },
    );
    expect(parser.info).toMatchObject({ name: 'parser', gieUniqueId: 5 });
    expect(await parser.read([floats('scores', [1, 3], [1, 0, 0])])).toEqual({ message: 0 });
    expect(await parser.read([floats('scores', [1, 3], [0, 1, 0])])).toEqual({ message: 1 });
    expect(await parser.read([floats('scores', [1, 3], [0, 0, 1])])).toEqual({
      error:
        'AttributeError: the config of a secondary parser has no image_size (parser.py line 8 in parse_sgie_model)',
    });
  });

  test('outputs: types, shapes without batch, halves as floats, a string output as None; they may be written', async () => {
    const parser = await bench.open(
      'python',
      `
model_type = 1
name = "shapes"

def parse_custom_model(config, raw_outputs):
    described = {k: None if v is None else [str(v.dtype), list(v.shape), v.reshape(-1).tolist()] for k, v in raw_outputs.items()}
    raw_outputs["f"] *= 2
    return None, {"outputs": described, "doubled": raw_outputs["f"].tolist()}
`,
    );
    const outputs = [
      { name: 'f', dims: [1, 2, 2], data: Float32Array.of(1, 2, 3, 4) },
      { name: 'h', dims: [1], data: Uint16Array.of(0x3c00) },
      { name: 'b', dims: [2, 1], data: Int8Array.of(-1, 1) },
      { name: 'l', dims: [1, 2], data: BigInt64Array.of(5n, 2n ** 40n) },
      { name: 'q', dims: [2], data: Uint8Array.of(0, 255), quantisation: { scale: 0.5, zeroPoint: 1 } },
      { name: 'none', dims: [1, 0, 4], data: new Float32Array(0) },
      { name: 's', dims: [1], data: ['text'] as never },
    ];
    expect((await parser.read(outputs)).message).toEqual({
      outputs: {
        f: ['float32', [2, 2], [1, 2, 3, 4]],
        h: ['float32', [1], [1]],
        b: ['int8', [2, 1], [-1, 1]],
        l: ['int32', [2], [5, 2 ** 31 - 1]],
        q: ['float32', [2], [-0.5, 127]],
        none: ['float32', [0, 4], []],
        s: null,
      },
      doubled: [
        [2, 4],
        [6, 8],
      ],
    });
  });

  test('outputs that a parser keeps stay as they were', async () => {
    const text = `
kept = []
gie_unique_id = 1

def parse_sgie_model(config, raw_outputs):
    kept.append(raw_outputs["x"])
    return [float(array[5000]) for array in kept]
`;
    const parser = await bench.open('python', text, { role: 'secondary' });
    const seen: unknown[] = [];
    for (const value of [1, 2, 3]) {
      seen.push((await parser.read([floats('x', [6000], Array<number>(6000).fill(value))])).message);
    }
    expect(seen).toEqual([[1], [1, 2], [1, 2, 3]]);
  });

  test('modules beside the file, in its folder; labels of the model when it has none', async () => {
    const folder = bench.folder({
      'parser.py':
        'from helper import NAME\nmodel_type = 0\nname = NAME\ndef parse_det_model(c, o):\n    return [[0, 0, 1, 1]], [1], [1], open("note.txt").read()\n',
      'helper.py': 'NAME = "helped"\n',
      'note.txt': 'beside',
    });
    const parser = await bench.open('python', '', { file: `${folder}/parser.py`, labels: ['a', 'b'] });
    expect(parser.info).toMatchObject({ name: 'helped', labels: ['a', 'b'] });
    expect(await parser.read([])).toMatchObject({ detections: [{ classId: 1, label: 'b' }], message: 'beside' });
  });
});

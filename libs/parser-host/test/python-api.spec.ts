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
});

import { dimOf, floatsOf, thresholdOf } from './shape.ts';
import type { OutputParser, TensorInfo } from './types.ts';

/** What DetectNet_v2 and NVIDIA's resnet10 divide distances by. */
const BOX_NORM = 35;
const CELL_OFFSET = 0.5;

/**
 * DetectNet_v2 (TAO: PeopleNet, TrafficCamNet, DashCamNet; DeepStream's resnet10): a grid of coverage `[batch, classes,
 * rows, columns]`, and for each class the distances of the four edges from the middle of the cell, `[batch, 4 * classes,
 * rows, columns]`, in 35 pixels. What nvinfer reads when no function is named.
 */
export const detectNet: OutputParser = {
  name: 'detectnet',
  aliases: ['detectnet-v2', 'resnet', 'peoplenet', 'trafficcamnet', 'NvDsInferParseCustomResnet'],
  source: 'NVIDIA DeepStream, sources/libs/nvdsinfer/nvdsinfer_context_impl_output_parsing.cpp (parseBoundingBox)',
  network: { padValue: 0, suppression: 'nms' },

  match(outputs, net) {
    const grids = gridsOf(outputs);
    if (grids === undefined) return undefined;
    const { classes, rows, columns } = grids;
    const stride = net.width / columns;
    if (!(stride >= 2 && stride <= 64 && Math.abs(net.height / rows - stride) < 1)) return undefined;
    return {
      score: 0.93,
      reason: `a grid of ${columns} x ${rows} cells with coverage and edges of ${classes} classes`,
    };
  },

  create(outputs, net) {
    const grids = gridsOf(outputs);
    if (grids === undefined) throw new RangeError('these outputs are not coverage and boxes');
    return (tensors, batchIndex, settings, into) => {
      const coverage = floatsOf(tensors, grids.coverage);
      const boxes = floatsOf(tensors, grids.boxes);
      const classes = dimOf(tensors, grids.coverage, 1);
      const rows = dimOf(tensors, grids.coverage, 2);
      const columns = dimOf(tensors, grids.coverage, 3);
      const cells = rows * columns;
      const strideX = Math.ceil(net.width / columns);
      const strideY = Math.ceil(net.height / rows);
      for (let c = 0; c < classes; c += 1) {
        const threshold = thresholdOf(settings, c);
        const base = (batchIndex * classes + c) * cells;
        for (let cell = 0; cell < cells; cell += 1) {
          const score = coverage[base + cell] as number;
          if (score < threshold) continue;
          const x = (cell % columns) * strideX + CELL_OFFSET;
          const y = Math.floor(cell / columns) * strideY + CELL_OFFSET;
          const at = 4 * base + cell;
          into.push(
            x - (boxes[at] as number) * BOX_NORM,
            y - (boxes[at + cells] as number) * BOX_NORM,
            x + (boxes[at + 2 * cells] as number) * BOX_NORM,
            y + (boxes[at + 3 * cells] as number) * BOX_NORM,
            score,
            c,
          );
        }
      }
    };
  },
};

interface Grids {
  readonly coverage: number;
  readonly boxes: number;
  readonly classes: number;
  readonly rows: number;
  readonly columns: number;
}

function gridsOf(outputs: readonly TensorInfo[]): Grids | undefined {
  if (outputs.length !== 2 || outputs.some(({ dims }) => dims.length !== 4)) return undefined;
  const [first = 0, second = 0] = outputs.map(({ dims }) => dims[1] ?? 0);
  const coverage = second === 4 * first ? 0 : first === 4 * second ? 1 : -1;
  const [, classes = 0, rows = 0, columns = 0] = outputs[coverage]?.dims ?? [];
  const [, , boxRows, boxColumns] = outputs[1 - coverage]?.dims ?? [];
  if (coverage < 0 || classes < 1 || rows !== boxRows || columns !== boxColumns) return undefined;
  return { coverage, boxes: 1 - coverage, classes, rows, columns };
}

import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { VantageError } from '@vantage/contracts';
import { checkOnnxFile } from '@vantage/model-store';
import { readOnnx, type OnnxModel } from '@vantage/onnx';
import { readCatalog, type CatalogModel } from '../catalog/catalog.ts';

/** What a model file says of itself, and what is known of it. */
export interface OnnxFacts {
  /** Absolute. */
  readonly file: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly model: OnnxModel;
  /** Numbers in its weights. */
  readonly parameters: number;
  /** The entry of the catalog that is this very file. */
  readonly known?: CatalogModel;
}

/** What Node reads into memory at once. */
const MAX_BYTES = 2 * 1024 ** 3 - 1;

/** @throws VantageError with a sentence for everything that is no whole model: the codes of `checkOnnxFile`, `ONNX_INVALID` */
export async function readFacts(file: string): Promise<OnnxFacts> {
  await checkOnnxFile(file);
  const { size } = await stat(file);
  const name = path.basename(file);
  if (size > MAX_BYTES) {
    throw new VantageError(
      'ONNX_INVALID',
      `${name} has ${size} bytes; a model file ends below 2 GiB: save it with its weights in a file beside it`,
    );
  }
  const bytes = await readFile(file);
  const model = readOnnx(bytes, name);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const catalog = await readCatalog();
  const known = catalog.models.find(({ files }) => files.some((one) => one.sha256 === sha256));
  await needWeights(file, model);
  return {
    file,
    bytes: size,
    sha256,
    model,
    parameters: model.initializers.reduce((sum, { dims }) => sum + dims.reduce((a, b) => a * b, 1), 0),
    ...(known ? { known } : {}),
  };
}

async function needWeights(file: string, { externalFiles }: OnnxModel): Promise<void> {
  const folder = path.dirname(file);
  for (const name of externalFiles) {
    if (!(await stat(path.join(folder, name)).catch(() => undefined))) {
      throw new VantageError(
        'MODEL_FILE_MISSING',
        `${path.basename(file)} keeps its weights in '${name}', which is not beside it; bring both files`,
      );
    }
  }
}

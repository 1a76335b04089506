import { table } from '../../table.ts';
import { readCatalog, type CatalogModel } from './catalog.ts';

/** The models of the catalog: a table, or JSON with addresses and digests. */
export async function listModels({
  json,
  catalog,
}: {
  readonly json: boolean;
  readonly catalog?: string;
}): Promise<string> {
  const { models } = await readCatalog(catalog);
  if (json) return `${JSON.stringify(models, undefined, 2)}\n`;
  const rows = models.map((model) => [model.name, model.task, sizeOf(model), model.licence, titleOf(model)]);
  const lines = table(['name', 'task', 'size', 'licence', 'what it finds'], rows);
  return `${lines.join('\n')}\n\nvantage model get <name> downloads one, ready to run\n`;
}

function titleOf({ title, after }: CatalogModel): string {
  return after === undefined ? title : `${title} (after ${after})`;
}

function sizeOf({ files }: CatalogModel): string {
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  return bytes < 1024 ** 2 ? `${Math.ceil(bytes / 1024)} KiB` : `${(bytes / 1024 ** 2).toFixed(1)} MiB`;
}

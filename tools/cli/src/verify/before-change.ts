import { MODULES, type TwinObject } from '@vantage/contracts';
import { desiredOf, type Hub } from '@vantage/hub';
import type { BlobOptions } from '../twin/blob-account.ts';
import { wholeTwin } from '../twin/whole-twin.ts';
import { reportLines } from './run-verify.ts';
import { verifyFolder } from './verify.ts';

/**
 * Whether clips of a folder do what they should with a twin that is not applied yet. The table goes to stderr.
 *
 * @param wanted desired properties that the module would get
 * @throws VantageError as `verifyFolder` does
 */
export async function verifiesWith(
  hub: Hub,
  device: string,
  { module, wanted, folder }: { readonly module: string; readonly wanted: TwinObject; readonly folder: string },
  options: BlobOptions,
): Promise<boolean> {
  const desired = async (name: string): Promise<TwinObject> =>
    name === module ? wanted : wholeTwin(desiredOf(await hub.moduleTwin(name, device)), options);
  const report = await verifyFolder({
    folder,
    configuration: await desired(MODULES.controller),
    settings: await desired(MODULES.aiPipeline),
    logic: process.env['BUSINESS_LOGIC_FILE'],
  });
  process.stderr.write(`${reportLines(report).join('\n')}\n`);
  return report.passed;
}

import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { text as readAll } from 'node:stream/consumers';
import { VantageError, codeOf, isObject, messageOf } from '@vantage/contracts';
import { expandVariables } from '@vantage/manifest';
import { checkManifestRoutes } from './manifest-routes.ts';
import { type RouteTestResult, testLine, testRoute } from './route-test.ts';
import { type TestMessage, readTestMessage } from './test-message.ts';

export interface RouteTestOptions {
  readonly route?: string;
  readonly condition?: string;
  readonly message?: string;
  readonly batch?: string;
  readonly manifest?: string;
}

/**
 * Prints a line for each route, condition or line of the batch; false when a route that was not in a batch has an error.
 * @throws VantageError ROUTE_TEST_INVALID
 */
export async function runRouteTests(options: RouteTestOptions): Promise<boolean> {
  const { route, condition, message, batch, manifest } = options;
  const given = [route, condition, batch, manifest].filter((option) => option !== undefined).length;
  if (given !== 1) throw invalid('one of --route, --condition, --batch and --manifest expected');
  if (message !== undefined && (batch !== undefined || manifest !== undefined)) {
    throw invalid('--message goes with --route or --condition');
  }
  if (batch !== undefined) {
    await runBatch(batch);
    return true;
  }
  const results = manifest === undefined ? [await runOne(options)] : await readManifestRoutes(manifest);
  for (const result of results) await print(result);
  return results.every(({ error }) => error === undefined);
}

async function runOne({ route, condition, message }: RouteTestOptions): Promise<RouteTestResult> {
  return testRoute({
    id: null,
    ...(route === undefined ? { condition: condition ?? '' } : { route }),
    ...(message === undefined ? {} : { message: await readMessage(message) }),
  });
}

async function runBatch(file: string): Promise<void> {
  const input = file === '-' ? process.stdin : createReadStream(file);
  let lineNumber = 0;
  try {
    for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
      lineNumber += 1;
      if (line.trim() !== '') await print(testLine(line, lineNumber));
    }
  } catch (error) {
    throw unreadable(file, error);
  }
}

async function readMessage(file: string): Promise<TestMessage> {
  return readTestMessage(parse(await readText(file), file));
}

async function readManifestRoutes(file: string): Promise<RouteTestResult[]> {
  const manifest = parse(expandVariables(await readText(file), process.env), file);
  const content = modulesContentOf(manifest);
  if (content === undefined) throw invalid(`${file} has no modulesContent`);
  return checkManifestRoutes(content);
}

function modulesContentOf(manifest: unknown): unknown {
  if (!isObject(manifest)) return undefined;
  return manifest['modulesContent'] ?? manifest['moduleContent'] ?? modulesContentOf(manifest['content']);
}

async function readText(file: string): Promise<string> {
  try {
    return await (file === '-' ? readAll(process.stdin) : readFile(file, 'utf8'));
  } catch (error) {
    throw unreadable(file, error);
  }
}

function parse(json: string, file: string): unknown {
  try {
    return JSON.parse(json);
  } catch (error) {
    throw invalid(`${file} is not JSON: ${messageOf(error)}`);
  }
}

/** Waits where the reader is slower than we are. */
async function print(result: RouteTestResult): Promise<void> {
  if (!process.stdout.write(`${JSON.stringify(result)}\n`)) await once(process.stdout, 'drain');
}

function unreadable(file: string, error: unknown): VantageError {
  const reason = codeOf(error) === 'ENOENT' ? 'does not exist' : messageOf(error);
  return new VantageError('ROUTE_TEST_INVALID', `${file} ${reason}`, { cause: error });
}

function invalid(problem: string): VantageError {
  return new VantageError('ROUTE_TEST_INVALID', problem);
}

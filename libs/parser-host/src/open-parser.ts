import { stat } from 'node:fs/promises';
import path from 'node:path';
import { parserFileMissing, parserIsNative, parserLoadFailed } from './errors.ts';
import { HostedParser } from './hosted-parser.ts';
import { isNativeLibrary, nativeLibraryRefusal } from './native-library.ts';
import { ParserProcess } from './parser-process.ts';
import { findRuntime } from './runtimes.ts';
import { TensorFile } from './tensor-file.ts';
import { PARSER_IMAGE_SIZE, type CustomParser, type ParserSpec } from './types.ts';

const CODE_ENDINGS = {
  python: ['.py'],
  js: ['.js', '.mjs', '.cjs', '.ts', '.mts', '.json'],
} as const;

/**
 * Starts a custom parser in a process of its own and loads it. The caller closes it.
 *
 * The API is that of Azure DeepStream Accelerator (contract D.4), the same in JavaScript.
 *
 * @throws VantageError `PARSER_FILE_MISSING`, `PARSER_NATIVE_LIBRARY`, `PARSER_PYTHON_MISSING`, `PARSER_LOAD_FAILED`
 */
export async function openParser(spec: ParserSpec): Promise<CustomParser> {
  const { kind, labels = [], networkSize, role, log = () => undefined, memoryLimitMb = 2048 } = spec;
  const file = path.resolve(spec.file);
  if (await isNativeLibrary(file)) throw parserIsNative(nativeLibraryRefusal(file), file);
  await checkFile(file);
  const runtime = await findRuntime(kind, memoryLimitMb);
  const setup = {
    file,
    folder: path.dirname(file),
    role,
    labels,
    imageSize: [PARSER_IMAGE_SIZE.width, PARSER_IMAGE_SIZE.height],
    networkSize: [networkSize.width, networkSize.height],
    memoryLimitMb,
  };
  const tensors = TensorFile.open();
  const process = { runtime, file, setup, tensorFd: tensors.fd, loadDeadlineMs: spec.loadDeadlineMs ?? 30_000, log };
  try {
    const first = await ParserProcess.start(process);
    const deadlineMs = spec.deadlineMs ?? 2000;
    return new HostedParser(first, { process, tensors, deadlineMs, codeEndings: CODE_ENDINGS[kind], log }).start();
  } catch (error) {
    tensors.close();
    throw parserLoadFailed(file, error instanceof Error ? error.message : String(error));
  }
}

async function checkFile(file: string): Promise<void> {
  let isFile: boolean;
  try {
    isFile = (await stat(file)).isFile();
  } catch (error) {
    throw parserFileMissing(file, error instanceof Error ? error.message : String(error));
  }
  if (!isFile) throw parserFileMissing(file, 'it is not a file');
}

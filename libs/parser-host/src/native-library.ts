import { open } from 'node:fs/promises';
import path from 'node:path';
import { OUTPUT_PARSERS, TASK_PARSERS } from '@vantage/vision';

const ELF = Buffer.from([0x7f, 0x45, 0x4c, 0x46]);

/** True for a compiled library, by its name (`libx.so`, `libx.so.1`) or its first bytes. */
export async function isNativeLibrary(file: string): Promise<boolean> {
  if (/\.so(\.\d+)*$|\.(dll|dylib)$/i.test(path.basename(file))) return true;
  let handle;
  try {
    handle = await open(file, 'r');
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(4), 0, 4, 0);
    return bytesRead === 4 && buffer.equals(ELF);
  } catch {
    return false;
  } finally {
    await handle?.close();
  }
}

/**
 * Why a compiled parser does not run, and what to use instead: the built-in parser, where the function is one that is
 * known, else the parser API.
 *
 * @param functionName `parse-bbox-func-name` or its siblings of the configuration, where there is one
 */
export function nativeLibraryRefusal(file: string, functionName?: string): string {
  const what = `${path.basename(file)} is a compiled library for DeepStream, which is not loaded here`;
  const builtIn = functionName === undefined ? undefined : builtInFor(functionName);
  if (builtIn !== undefined) {
    return `${what}: its function ${functionName} is built in as parser "${builtIn}"; remove custom-lib-path`;
  }
  const unknown = functionName === undefined ? '' : ` and its function ${functionName} is not built in`;
  return (
    `${what}${unknown}: name a built-in parser ("parser" or parse-bbox-func-name), or write the parser in Python ` +
    '(pyFile: model_type, name, labels, parse_det_model) or JavaScript (jsFile)'
  );
}

function builtInFor(functionName: string): string | undefined {
  const plain = (name: string): string => name.toLowerCase().replace(/[-_]/g, '');
  const isSame = (name: string): boolean => plain(name) === plain(functionName);
  const owner = [...OUTPUT_PARSERS, ...TASK_PARSERS].find(({ name, aliases }) => isSame(name) || aliases.some(isSame));
  return (owner ?? OUTPUT_PARSERS.find(({ standsInFor }) => standsInFor?.some(isSame)))?.name;
}

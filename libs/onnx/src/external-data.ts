import { externalDataOutside } from './errors.ts';

/**
 * A location of external data, as a path inside of the model's folder. ONNX asks for a POSIX path relative to it
 * (https://onnx.ai/onnx/repo-docs/ExternalData.html); a model from elsewhere must not be able to read other files.
 *
 * @throws VantageError `ONNX_EXTERNAL_DATA_OUTSIDE`
 */
export function insideFolder(model: string, location: string): string {
  const parts = location.split('/').filter((part) => part !== '.' && part !== '');
  // A colon is a drive or a stream on Windows, a backslash a separator.
  if (parts.length === 0 || location.startsWith('/') || parts.includes('..') || /[\\:\0]/.test(location)) {
    throw externalDataOutside(model, location.slice(0, 200).replace(/[\0-\x1f]/g, '?'));
  }
  return parts.join('/');
}

export { checkOnnxFile } from './check-onnx.ts';
export { showAddress } from './address.ts';
export { fetchFile, type FileRequest } from './fetch-file.ts';
export { DEFAULT_LIMITS, type ModelStoreLimits } from './limits.ts';
export { listing, resolveInPackage, type ModelPackage } from './model-package.ts';
export { ModelStore, type FetchProgress, type FetchRequest, type ModelStoreOptions } from './model-store.ts';

export { readStorageChoice, type StorageChoice } from './environment.ts';
export { Journal, type FileRow, type FileState } from './journal.ts';
export { openStorage, type ClipStorage } from './storage/clip-storage.ts';
export { VideoUploader, type VideoUploaderOptions } from './video-uploader.ts';

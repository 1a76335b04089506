export { SharedFile, SHARED_FOLDERS, type NewSharedFile } from './shared-file.ts';
export { MappedMemory } from './mapped-memory.ts';

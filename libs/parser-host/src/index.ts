export { nativeLibraryRefusal } from './native-library.ts';
export { openParser } from './open-parser.ts';
export { OutputLines, oneLine } from './output-lines.ts';
export { PARSER_IMAGE_SIZE } from './types.ts';
export type {
  CustomParser,
  OverlayColour,
  ParsedObject,
  ParserCounts,
  ParserInfo,
  ParserLog,
  ParserOverlay,
  ParserResult,
  ParserSpec,
} from './types.ts';
export type {
  CustomModelResult,
  DetModelResult,
  FrameObject,
  ParserFrame,
  ParserOutputs,
  ParserTensor,
  PrimaryParserConfig,
  PrimaryParserModule,
  SecondaryParserModule,
} from './js/parser-api.ts';

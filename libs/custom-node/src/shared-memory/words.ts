import { MAX_PICTURE_BYTES, MAX_SLOTS, geometryProblem, type RingGeometry } from './ring.ts';

/**
 * Keys of gRPC metadata through which both ends agree. Who does not know them ignores them, and is sent pictures in
 * messages.
 */
export const OFFER_KEY = 'vantage-shm-offer';
export const ACCEPT_KEY = 'vantage-shm-accept';
/** In a request: where its picture is. In an answer: where its picture is, or `gone`. */
export const HANDLE_KEY = 'vantage-shm';
/** The server has no such ring (any more): the picture has to be sent again, in the message. */
export const GONE = 'gone';

export const FILE_PREFIX = 'vantage-node-';
const FILE_NAME = /^vantage-node-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const NUMBER = /^(?:0|[1-9]\d{0,14})$/;
const SEQUENCE = /^[1-9]\d{0,18}$/;
const PROOF = /^[0-9a-f]{32}$/;

export function isRingFile(name: string): boolean {
  return FILE_NAME.test(name);
}

export interface Offer {
  /** Name of the file, without its folder: the server looks in its own. */
  readonly file: string;
  readonly geometry: RingGeometry;
}

export function formatOffer({ file, geometry: { slots, requestBytes, responseBytes } }: Offer): string {
  return `1 ${file} ${slots} ${requestBytes} ${responseBytes}`;
}

/** Undefined for what we do not understand. */
export function parseOffer(text: string): Offer | undefined {
  const [version, file = '', ...numbers] = text.split(' ');
  if (version !== '1' || !isRingFile(file) || numbers.length !== 3 || !numbers.every((one) => NUMBER.test(one))) {
    return undefined;
  }
  const [slots = 0, requestBytes = 0, responseBytes = 0] = numbers.map(Number);
  const geometry = { slots, requestBytes, responseBytes };
  return geometryProblem(geometry) === undefined ? { file, geometry } : undefined;
}

/** That the server has mapped the file: the client's proof as it stands there, and one that the server has written there. */
export interface Acceptance {
  readonly file: string;
  readonly clientProof: string;
  readonly serverProof: string;
}

export function formatAcceptance({ file, clientProof, serverProof }: Acceptance): string {
  return `1 ${file} ${clientProof} ${serverProof}`;
}

export function parseAcceptance(text: string): Acceptance | undefined {
  const [version, file = '', clientProof = '', serverProof = '', ...more] = text.split(' ');
  const isGood = version === '1' && isRingFile(file) && PROOF.test(clientProof) && PROOF.test(serverProof);
  return isGood && more.length === 0 ? { file, clientProof, serverProof } : undefined;
}

/** The picture of a request. */
export interface RequestHandle {
  readonly file: string;
  readonly slot: number;
  readonly sequence: bigint;
  readonly bytes: number;
}

export function formatRequestHandle({ file, slot, sequence, bytes }: RequestHandle): string {
  return `${file} ${slot} ${sequence} ${bytes}`;
}

export function parseRequestHandle(text: string): RequestHandle | undefined {
  const [file = '', slotText = '', sequence = '', bytesText = '', ...more] = text.split(' ');
  const areNumbers = NUMBER.test(slotText) && SEQUENCE.test(sequence) && NUMBER.test(bytesText);
  if (!isRingFile(file) || !areNumbers || more.length > 0) return undefined;
  const [slot, bytes] = [Number(slotText), Number(bytesText)];
  return slot < MAX_SLOTS && bytes <= MAX_PICTURE_BYTES ? { file, slot, sequence: BigInt(sequence), bytes } : undefined;
}

/** The picture of an answer: none, where `bytes` is 0. */
export interface ResponseHandle {
  readonly sequence: bigint;
  /** From the beginning of the slot. */
  readonly offset: number;
  readonly bytes: number;
}

export function formatResponseHandle({ sequence, offset, bytes }: ResponseHandle): string {
  return `${sequence} ${offset} ${bytes}`;
}

export function parseResponseHandle(text: string): ResponseHandle | undefined {
  const [sequence = '', offset = '', bytes = '', ...more] = text.split(' ');
  const isGood = SEQUENCE.test(sequence) && NUMBER.test(offset) && NUMBER.test(bytes) && more.length === 0;
  return isGood ? { sequence: BigInt(sequence), offset: Number(offset), bytes: Number(bytes) } : undefined;
}

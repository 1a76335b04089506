import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { customNode } from '../src/index.ts';

/** Bytes of Debian's protobuf for the reference .proto: what nodes in the field send and expect. */
const golden = JSON.parse(readFileSync(new URL('custom-node-golden.json', import.meta.url), 'utf8')) as Record<
  string,
  { readonly type: string; readonly hex: string; readonly json: unknown }
>;

function messageType(name: string) {
  switch (name) {
    case 'custom_node.HandshakeRequest':
      return customNode.HandshakeRequest;
    case 'custom_node.HandshakeResponse':
      return customNode.HandshakeResponse;
    case 'custom_node.ProcessRequest':
      return customNode.ProcessRequest;
    case 'custom_node.ProcessResponse':
      return customNode.ProcessResponse;
    default:
      throw new Error(`no such message: ${name}`);
  }
}

/** The four types have the same functions, each over its own message. */
interface Codec {
  decode(bytes: Uint8Array): unknown;
  encode(message: unknown): { finish(): Uint8Array };
  fromJSON(json: unknown): unknown;
}

const hexOf = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

describe('the custom node protocol', () => {
  test('has ten golden vectors', () => expect(Object.keys(golden)).toHaveLength(10));

  test.each(Object.entries(golden))('%s: bytes -> message -> the same bytes', (_name, { type, hex }) => {
    const codec = messageType(type) as Codec;
    expect(hexOf(codec.encode(codec.decode(Buffer.from(hex, 'hex'))).finish())).toBe(hex);
  });

  test.each(Object.entries(golden))('%s: JSON -> message -> the golden bytes', (_name, { type, hex, json }) => {
    const codec = messageType(type) as Codec;
    expect(hexOf(codec.encode(codec.fromJSON(json)).finish())).toBe(hex);
  });

  test('keeps 64-bit numbers that a double cannot hold', () => {
    const { hex } = golden['handshake_response_jpeg_noimg_both']!;
    expect(customNode.HandshakeResponse.decode(Buffer.from(hex, 'hex'))).toEqual({
      ack: 9_007_199_254_740_993n,
      imageType: customNode.ImageType.IMAGE_TYPE_JPEG,
      processRequestType: customNode.ProcessRequestType.FRAME_WITHOUT_IMAGE,
      processResponseType: customNode.ProcessResponseType.IMAGE_AND_INSIGHTS_META,
    });
  });

  test('tells an empty sub-message from an absent one', () => {
    const frame = customNode.ProcessRequest.decode(
      Buffer.from(golden['process_request_reference_2x2']!.hex, 'hex'),
    ).frame!;
    expect(frame.timestamp).toEqual({ seconds: 0n, nanos: 0 });
    expect(frame.insightsMeta).toBeUndefined();
    expect([...frame.image!.imagePointer]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
  });

  test('keeps an enum value that nobody declared, so that it can be refused by name', () => {
    expect(customNode.HandshakeResponse.decode(Buffer.from('08011009', 'hex')).imageType).toBe(9);
  });

  test('names the methods of the contract', () => {
    const { fullName, methods } = customNode.CustomNodeHandlerDefinition;
    expect(Object.values(methods).map((method) => `/${fullName}/${method.name}`)).toEqual([
      '/custom_node.CustomNodeHandler/Handshake',
      '/custom_node.CustomNodeHandler/Process',
    ]);
  });
});

import type { customNode } from '@vantage/contracts';
import type { ImageEncoding, NodeDescription, NodeWants, ResponseKind } from '../types.ts';

export const SERVICE = 'custom_node.CustomNodeHandler';
export const HANDSHAKE_PATH = `/${SERVICE}/Handshake`;
export const PROCESS_PATH = `/${SERVICE}/Process`;

/** gRPC's own default, both ways: what a peer that says nothing takes at most. */
export const DEFAULT_MESSAGE_BYTES = 4_194_304;

/** What our server takes. */
export const SERVER_MESSAGE_BYTES = 64 * 1024 * 1024;

/** Keys between a client and a server of ours; others ignore them. */
export const METADATA = {
  /** Client: one connection of one camera. The server knows by it whose frame a call brings. */
  session: 'vantage-session',
  /** Server, with its handshake: bytes of the largest message it takes. */
  maxMessageBytes: 'vantage-max-message-bytes',
} as const;

const ENCODINGS: readonly ImageEncoding[] = ['numpy', 'bmp', 'jpeg'];
const RESPONSES: readonly ResponseKind[] = ['image', 'insights', 'imageAndInsights', 'empty'];

/** What a handshake's answer asks for; a sentence where it asks for something that the contract does not have. */
export function readHandshake(response: customNode.HandshakeResponse): NodeWants | string {
  const encoding = ENCODINGS[response.imageType];
  if (encoding === undefined) return `asks for image_type ${response.imageType}; known are 0, 1 and 2`;
  const kind = RESPONSES[response.processResponseType];
  if (kind === undefined) return `announces process_response_type ${response.processResponseType}; known are 0 to 3`;
  const request: number = response.processRequestType;
  if (request !== 0 && request !== 1) return `asks for process_request_type ${request}; known are 0 and 1`;
  return { image: request === 1 ? 'none' : encoding, answerImage: encoding, response: kind };
}

export function writeHandshake(ack: bigint, description: NodeDescription): customNode.HandshakeResponse {
  const encoding = description.image === 'none' ? (description.answerImage ?? 'numpy') : description.image;
  return {
    ack,
    imageType: ENCODINGS.indexOf(encoding) as customNode.ImageType,
    processRequestType: description.image === 'none' ? 1 : 0,
    processResponseType: RESPONSES.indexOf(description.response) as customNode.ProcessResponseType,
  };
}

/** What is wrong with a node's description of itself (JavaScript has no types), or undefined. */
export function descriptionProblem(description: NodeDescription): string | undefined {
  const { image, response, answerImage } = description;
  if (image !== 'none' && !ENCODINGS.includes(image)) return `describes image "${String(image)}"`;
  if (!RESPONSES.includes(response)) return `describes response "${String(response)}"`;
  if (answerImage !== undefined && !ENCODINGS.includes(answerImage))
    return `describes answerImage "${String(answerImage)}"`;
  return undefined;
}

import type { customNode } from '@vantage/contracts';
import type { ImageEncoding, ResponseKind } from '@vantage/custom-node';
import type { Wants } from './check.ts';

export const ENCODINGS: readonly ImageEncoding[] = ['numpy', 'bmp', 'jpeg'];
const RESPONSES: readonly ResponseKind[] = ['image', 'insights', 'imageAndInsights', 'empty'];

/** What a handshake's answer says; a text where it says what the contract does not have. */
export function wantsOf(answer: customNode.HandshakeResponse): Wants | string {
  const { imageType, processRequestType, processResponseType } = answer;
  const encoding = ENCODINGS[imageType];
  const response = RESPONSES[processResponseType];
  const requestType: number = processRequestType;
  if (encoding === undefined || response === undefined || (requestType !== 0 && requestType !== 1))
    return `answers image_type ${imageType}, process_request_type ${requestType}, process_response_type ${processResponseType}: one of them is not in the contract`;
  return { encoding, withImage: requestType === 0, response };
}

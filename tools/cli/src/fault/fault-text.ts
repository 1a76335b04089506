import type { ActiveFault, Fault } from '@vantage/local-edge';
import { inWords } from '../duration.ts';

/** A fault in words, with how long it goes on. */
export function faultText({ fault, untilUtc }: ActiveFault, nowMs: number): string {
  const left = untilUtc === undefined ? 'until cleared' : `for ${inWords(Date.parse(untilUtc) - nowMs)} more`;
  return `${describe(fault)}, ${left}`;
}

function describe(fault: Fault): string {
  switch (fault.kind) {
    case 'network':
      return `network: ${fault.module} cannot reach the hub`;
    case 'upstream':
      return 'upstream: nothing leaves for the cloud';
    case 'delay':
      return `delay: messages to ${fault.module ?? 'all modules'} are ${fault.ms} ms late`;
    case 'clock':
      return `clock: the hub's clock is ${inWords(Math.abs(fault.ms))} ${fault.ms < 0 ? 'behind' : 'ahead'}`;
    case 'disk':
      return 'disk: nothing can be written to the state folder';
    case 'twin':
      return `twin: the twin of ${fault.module} is deaf`;
  }
}

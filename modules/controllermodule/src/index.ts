export { Controller, type ControllerOptions } from './controller.ts';
export { lastGoodIn, type LastGood, type Published } from './last-good.ts';

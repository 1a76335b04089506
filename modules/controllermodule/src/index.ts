export { Controller, type ControllerOptions } from './controller.ts';
export { LastGood, type Published } from './last-good.ts';

export { BusinessLogic, type BusinessLogicOptions } from './business-logic.ts';
export { decide, type Decision, type DecisionInput, type DecisionState } from './decide.ts';
export { loadDecision, type Decide } from './load-decision.ts';
export { readSettings, type Settings } from './settings.ts';

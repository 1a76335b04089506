export { checkCondition, checkRoute, type RouteCheck, type RouteMistake } from './check-route.ts';
export { compileCondition, compileExpression, type CompiledCondition } from './compiler.ts';
export { parseEdgeHubConfig, type EdgeHubConfig, type StoreAndForward } from './edgehub-config.ts';
export { messageSourceOf, type RoutedMessage } from './message.ts';
export {
  normalizeSource,
  parseRoute,
  parseRouteText,
  resolveSink,
  sourceMatches,
  type ParsedRoute,
  type RouteText,
  type Sink,
  type SinkText,
} from './route.ts';
export {
  DEFAULT_PRIORITY,
  Router,
  type Delivery,
  type Endpoint,
  type RouteDefinition,
  type RouteProblem,
} from './router.ts';

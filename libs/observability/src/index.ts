export { Backoff, type BackoffOptions } from './backoff.ts';
export { freePort, isPortFree } from './free-port.ts';
export { Health, type HealthCheck, type HealthSnapshot } from './health.ts';
export { healthAddress, startHealthServer, type HealthServer, type HealthServerOptions } from './health-server.ts';
export { HttpRoutes, type HttpAnswer, type HttpHandler, type HttpRoute } from './http-routes.ts';
export { LOG_LEVELS, logLevelComplaint, parseLogLevel, type LogLevel } from './log-level.ts';
export {
  createLogger,
  silentLogger,
  type LogFields,
  type Logger,
  type LoggerOptions,
  type RootLogger,
} from './logger.ts';
export {
  METRIC_UNITS,
  Metrics,
  type CounterMetric,
  type EventLoopDelay,
  type GaugeMetric,
  type HistogramMetric,
  type MetricLabels,
  type MetricOptions,
} from './metrics.ts';
export { resolveHost, resolveVolume, rewriteEndpoint, type HostPort } from './places.ts';
export { pythonCandidates, pythonComplaint, type PythonWish } from './python.ts';
export { isSecretKey, redact, redactDeep } from './redact.ts';
export { runModule, type ModuleContext, type RunModuleOptions, type RunningModule } from './run-module.ts';
export { preloads, userCodeEnvironment } from './user-code-environment.ts';

import type { Metrics } from '@vantage/observability';
import type { CallResult } from './messages.ts';

/** The metrics of one node. */
export interface NodeMetrics {
  call(result: CallResult, ms: number): void;
  restarted(code: string): void;
  up(isUp: boolean): void;
  circuit(isOpen: boolean): void;
  forget(): void;
}

const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

export function createNodeMetrics(metrics: Metrics, node: string): NodeMetrics {
  const calls = metrics.counter({
    name: 'vantage_hosted_node_calls_total',
    help: 'Calls of a custom node by what became of them.',
    labelNames: ['node', 'result'],
    maxSeries: 200,
  });
  const seconds = metrics.histogram({
    name: 'vantage_hosted_node_call_seconds',
    help: 'Time that a custom node took for a call, its wait included.',
    labelNames: ['node'],
    buckets: BUCKETS,
  });
  const restarts = metrics.counter({
    name: 'vantage_hosted_node_restarts_total',
    help: 'Processes of a custom node that ended by themselves, by error code.',
    labelNames: ['node', 'code'],
    maxSeries: 200,
  });
  const running = metrics.gauge({
    name: 'vantage_hosted_node_running_count',
    help: '1 while a process serves the custom node.',
    labelNames: ['node'],
  });
  const open = metrics.gauge({
    name: 'vantage_hosted_node_circuit_open_count',
    help: '1 while calls of the custom node are refused because many in a row have failed.',
    labelNames: ['node'],
  });
  return {
    call: (result, ms) => {
      calls.inc({ node, result });
      if (result !== 'refused') seconds.observe(ms / 1000, { node });
    },
    restarted: (code) => restarts.inc({ node, code }),
    up: (isUp) => running.set(isUp ? 1 : 0, { node }),
    circuit: (isOpen) => open.set(isOpen ? 1 : 0, { node }),
    forget: () => {
      running.remove({ node });
      open.remove({ node });
    },
  };
}

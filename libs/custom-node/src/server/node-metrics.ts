import type { CounterMetric, GaugeMetric, HistogramMetric, Metrics } from '@vantage/observability';

/** What a custom node's server counts. */
export interface NodeMetrics {
  readonly calls: CounterMetric;
  readonly process: HistogramMetric;
  readonly waiting: GaugeMetric;
  readonly received: CounterMetric;
}

export function nodeMetrics(metrics: Metrics): NodeMetrics {
  return {
    calls: metrics.counter({
      name: 'vantage_node_calls_total',
      help: 'Calls answered by the custom node, by method and gRPC status',
      labelNames: ['method', 'status'],
    }),
    process: metrics.histogram({
      name: 'vantage_node_process_seconds',
      help: 'Time that the custom node took for a frame, its waiting time left out',
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    }),
    waiting: metrics.gauge({
      name: 'vantage_node_waiting_count',
      help: 'Frames that wait for the custom node',
    }),
    received: metrics.counter({
      name: 'vantage_node_received_bytes_total',
      help: 'Bytes of Process messages that came in',
    }),
  };
}

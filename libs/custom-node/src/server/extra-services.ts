import { createRequire } from 'node:module';
import type { Server } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { ReflectionService } from '@grpc/reflection';
import { messageOf } from '@vantage/contracts';
import type { Logger } from '@vantage/observability';
import { HealthImplementation } from 'grpc-health-check';
import { SERVICE } from '../wire/service.ts';

/** `grpc.health.v1.Health`, for the server as a whole and for the custom node service. */
export class NodeHealth {
  readonly #health = new HealthImplementation({ '': 'NOT_SERVING', [SERVICE]: 'NOT_SERVING' });

  addTo(server: Server): void {
    this.#health.addToServer(server);
  }

  set(serving: boolean): void {
    for (const service of ['', SERVICE]) this.#health.setStatus(service, serving ? 'SERVING' : 'NOT_SERVING');
  }
}

/** Server reflection (v1 and v1alpha), so that grpcurl and its like need no .proto file. Nothing else depends on it. */
export function addReflection(server: Server, logger: Logger): void {
  try {
    const proto = createRequire(import.meta.url).resolve('@vantage/contracts/custom_node.proto');
    new ReflectionService(loadSync(proto, { keepCase: true })).addToServer(server);
  } catch (error) {
    logger.warn(`no server reflection: ${messageOf(error)}`);
  }
}

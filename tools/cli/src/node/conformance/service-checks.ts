import { ok, warn, type Check } from './check.ts';

const SERVING = 1;
const OPTIONAL = 'optional; our SDKs serve it';

export const SERVICE_CHECKS: readonly Check[] = [
  {
    id: 'health',
    title: 'grpc.health.v1 says that it serves',
    async run({ peer }) {
      const reply = await peer.call('/grpc.health.v1.Health/Check', new Uint8Array(0), (bytes) => bytes);
      if (!reply.ok)
        return ok(reply.code === 'UNIMPLEMENTED' ? `no health service (${OPTIONAL})` : `${reply.code} (${OPTIONAL})`);
      // HealthCheckResponse { status = 1 }: a tag and the value.
      const status = reply.message[0] === 0x08 ? reply.message[1] : 0;
      return status === SERVING
        ? ok('SERVING')
        : warn(
            `the status is ${status}, not SERVING (1)`,
            'set the overall status "" to SERVING once the node is ready',
          );
    },
  },
  {
    id: 'reflection',
    title: 'reflection lists the service',
    async run({ peer }) {
      // ServerReflectionRequest { list_services = 7: "" }
      const reply = await peer.firstOfStream(
        '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo',
        Uint8Array.from([0x3a, 0x00]),
      );
      if (!reply.ok) return ok(`no reflection (${OPTIONAL} in TypeScript)`);
      return reply.message.includes('custom_node.CustomNodeHandler')
        ? ok('custom_node.CustomNodeHandler')
        : warn('the service is not in the list', 'register custom_node.CustomNodeHandler with the reflection service');
    },
  },
];

"""grpc.health.v1, so that clients, containers and load balancers can ask whether the node serves."""

import threading

import grpc

from ._messages import health_messages

_file = health_messages()
HealthCheckRequest = _file.messages["HealthCheckRequest"]
HealthCheckResponse = _file.messages["HealthCheckResponse"]
SERVICE = "grpc.health.v1.Health"
UNKNOWN, SERVING, NOT_SERVING, SERVICE_UNKNOWN = range(4)

# A watcher holds one thread of the server: more than a few are refused instead of starving the node.
MAX_WATCHERS = 4


class Health:
    def __init__(self, services):
        self._services = frozenset(services) | {""}
        self._changed = threading.Condition()
        self._status = NOT_SERVING
        self._watchers = 0

    def set(self, serving):
        with self._changed:
            self._status = SERVING if serving else NOT_SERVING
            self._changed.notify_all()

    def check(self, request, context):
        if request.service not in self._services:
            context.abort(grpc.StatusCode.NOT_FOUND, f"no service {request.service}")
        return HealthCheckResponse(status=self._status)

    def watch(self, request, context):
        with self._changed:
            if self._watchers >= MAX_WATCHERS:
                context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, f"{MAX_WATCHERS} watchers are connected already")
            self._watchers += 1
        try:
            last = None
            while context.is_active():
                with self._changed:
                    status = self._status if request.service in self._services else SERVICE_UNKNOWN
                    if status == last:
                        self._changed.wait(1.0)
                        continue
                last = status
                yield HealthCheckResponse(status=status)
        finally:
            with self._changed:
                self._watchers -= 1

    def add_to(self, server):
        server.add_generic_rpc_handlers(
            (
                grpc.method_handlers_generic_handler(
                    SERVICE,
                    {
                        "Check": grpc.unary_unary_rpc_method_handler(
                            self.check, HealthCheckRequest.FromString, HealthCheckResponse.SerializeToString
                        ),
                        "Watch": grpc.unary_stream_rpc_method_handler(
                            self.watch, HealthCheckRequest.FromString, HealthCheckResponse.SerializeToString
                        ),
                    },
                ),
            )
        )

"""The server of a custom node."""

import os
import signal
import threading
from concurrent import futures

import grpc

from . import custom_node_pb2_grpc
from .health import MAX_WATCHERS, Health
from .node import CustomNode, bearer_check, guarded
from .shared_memory import SharedMemory, handshake_metadata, shares_process

MAX_MESSAGE_BYTES = 64 * 1024 * 1024
# What clients assume of a server that says nothing.
_GRPC_DEFAULT_BYTES = 4 * 1024 * 1024


class CustomNodeServer:
    """Serves one node: `CustomNodeServer(6677, MyNode()).serve()`.

    port: 0 takes a free one; `self.port` has it after `start`.
    host: the default listens on every interface.
    workers: calls that run at the same time; the default is the one of ThreadPoolExecutor.
    max_message_bytes: larger requests are refused; 64 MB holds 4K pictures.
    tls: (certificate chain file, key file), and a third, the CA file, to ask clients for certificates too.
    token: clients must send it as `authorization: Bearer <token>`.
    grace: seconds that calls under way get at the end.
    shared_memory: pipelines on this machine may leave pictures in a tmpfs instead of sending them.
    reuse_port: another server of the kind may take the port over while this one ends; else a port in use is an error.
    """

    def __init__(
        self,
        port,
        node,
        *,
        host="[::]",
        workers=None,
        max_message_bytes=MAX_MESSAGE_BYTES,
        tls=None,
        token=None,
        grace=5.0,
        reuse_port=False,
        shared_memory=True,
    ):
        self.port = int(port)
        self.node = node
        self._host = host
        self._tls = tls
        self._grace = grace
        self._health = Health([custom_node_pb2_grpc.SERVICE])
        self._stopped = threading.Event()
        self._stopping = threading.Lock()
        self._started = False
        threads = workers or min(32, (os.cpu_count() or 1) + 4)
        self.server = grpc.server(
            futures.ThreadPoolExecutor(threads + MAX_WATCHERS, thread_name_prefix="node"),
            interceptors=[bearer_check(token)] if token else None,
            options=[
                ("grpc.max_receive_message_length", max_message_bytes),
                ("grpc.max_send_message_length", -1),
                # gRPC's default is 1: two servers on one port would share its clients without a word.
                ("grpc.so_reuseport", int(reuse_port)),
            ],
        )
        self._shared = SharedMemory() if shared_memory else None
        self._handlers = _Handlers(node, threads, max_message_bytes, self._shared)
        custom_node_pb2_grpc.add_CustomNodeHandlerServicer_to_server(self._handlers, self.server)
        self._health.add_to(self.server)

    def start(self):
        """Listens and returns the port. Raises OSError where the port cannot be had."""
        if callable(getattr(self.node, "start", None)):
            self.node.start()
        address = f"{self._host}:{self.port}"
        try:
            if self._tls:
                bound = self.server.add_secure_port(address, self._credentials())
            else:
                bound = self.server.add_insecure_port(address)
        except RuntimeError as error:
            raise OSError(f"cannot listen on {address}: {error}") from error
        if bound == 0:
            raise OSError(f"cannot listen on {address}: the port is in use, or the address is not of this machine")
        self.port = bound
        self.server.start()
        self._started = True
        self._health.set(True)
        return bound

    def serve(self):
        """Serves until SIGTERM, SIGINT or `stop`; calls under way are finished first."""
        if not self._started:
            self.start()
        if threading.current_thread() is threading.main_thread():
            for name in (signal.SIGTERM, signal.SIGINT):
                signal.signal(name, self._on_signal)
        print(f"Server started, listening on {self.port}", flush=True)
        # A wait without an end would keep Python from running the signal handler on some platforms.
        while not self._stopped.wait(1.0):
            pass

    def stop(self, grace=None):
        """Takes no new calls, waits for those under way, at most `grace` seconds, then ends. Again does nothing."""
        if not self._stopping.acquire(blocking=False):
            self._stopped.wait()
            return
        self._health.set(False)
        seconds = self._grace if grace is None else grace
        ended = self.server.stop(seconds)
        # gRPC also waits for clients that are merely connected; an answer just given needs a moment to leave.
        if self._handlers.wait_idle(seconds):
            ended = self.server.stop(min(0.2, seconds))
        ended.wait()
        if self._shared is not None:
            self._shared.close()
        if callable(getattr(self.node, "stop", None)):
            self.node.stop()
        self._stopped.set()

    close = stop

    def _on_signal(self, number, _frame):
        if self._stopping.locked():
            os._exit(128 + number)
        threading.Thread(target=self.stop, name="stop").start()

    def _credentials(self):
        chain, key, *ca = (_read(path) for path in self._tls)
        return grpc.ssl_server_credentials(
            [(key, chain)], root_certificates=ca[0] if ca else None, require_client_auth=bool(ca)
        )


class _Handlers:
    """The two methods of a node, never more than `threads` at once: the other threads of the pool are for watchers of health."""

    def __init__(self, node, threads, max_message_bytes, shared):
        self._changed = threading.Condition()
        self._running = 0
        self._threads = threads
        process = guarded(node.Process)
        if shared is not None:
            process = shares_process(shared, process, getattr(type(node), "Process", None) is not CustomNode.Process)
        handshake = _telling(guarded(node.Handshake), max_message_bytes, shared)
        self.Handshake = self._counted(handshake)
        self.Process = self._counted(process)

    def wait_idle(self, seconds):
        """Whether every call under way has ended within that time."""
        with self._changed:
            return self._changed.wait_for(lambda: self._running == 0, seconds)

    def _counted(self, method):
        def call(request, context):
            with self._changed:
                self._changed.wait_for(lambda: self._running < self._threads)
                self._running += 1
            try:
                return method(request, context)
            finally:
                with self._changed:
                    self._running -= 1
                    self._changed.notify_all()

        return call


def _telling(method, max_message_bytes, shared):
    """A Handshake that also tells what the protocol has no field for; other clients do not look at it."""

    def handshake(request, context):
        response = method(request, context)
        metadata = [] if shared is None else handshake_metadata(shared, context)
        if max_message_bytes != _GRPC_DEFAULT_BYTES:
            metadata.append(("vantage-max-message-bytes", str(max_message_bytes)))
        if metadata:
            context.send_initial_metadata(tuple(metadata))
        return response

    return handshake


def _read(path):
    with open(path, "rb") as file:
        return file.read()

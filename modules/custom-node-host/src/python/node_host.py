"""Serves one node in Python. The main file of a process; src/supervisor/messages.ts is what it speaks with the host.

File descriptors: 0 ends when the host ends, 1 and 2 go to the host's log, 3 carries lines of JSON in both directions.
"""

import faulthandler
import importlib.util
import inspect
import json
import os
import resource
import signal
import sys
import threading
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
SDK = os.path.join(HERE, "..", "..", "..", "..", "sdk", "python")
CHANNEL = 3
# Beyond the limit, so that the check of the host, which says why, comes first.
SLACK_MIB = 256
DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, UNAVAILABLE = 4, 8, 14


class Refused(Exception):
    """Ends a call with a status of its own."""

    def __init__(self, grpc_code, text):
        super().__init__(text)
        self.grpc_code = grpc_code


class Gate:
    """Bounds and circuit breaker of a node's calls: call-gate.ts in Python.

    A thread cannot be interrupted: a call that takes longer than its deadline is the host's to end, with the process.
    """

    def __init__(self, setup):
        self._setup = setup
        self._places = threading.Condition()
        self._in_flight = self._waiting = self._id = self._failures = 0
        self._open_until = None
        self._trying = False
        self._last_failure = ""

    def run(self, work):
        started = time.monotonic()
        trial = self._pass_circuit()
        try:
            self._enter(started + self._setup["deadlineMs"] / 1000)
            try:
                return self._call(work, started)
            finally:
                with self._places:
                    self._in_flight -= 1
                    self._places.notify()
        finally:
            if trial:
                self._trying = False

    def _call(self, work, started):
        with self._places:
            self._id += 1
            number = self._id
        tell({"begin": number})
        try:
            result = work()
        except BaseException as error:
            text = describe(error, self._setup["folder"])
            tell({"end": number, "ms": elapsed(started), "result": "failed", "text": text})
            self._failed(text)
            raise
        tell({"end": number, "ms": elapsed(started), "result": "ok"})
        self._succeeded()
        return result

    def _enter(self, until):
        most = self._setup["maxInFlight"]
        with self._places:
            if self._in_flight >= most and self._waiting >= most:
                refuse(RESOURCE_EXHAUSTED, "busy: %d calls under way and as many waiting" % most)
            self._waiting += 1
            try:
                if not self._places.wait_for(lambda: self._in_flight < most, until - time.monotonic()):
                    refuse(DEADLINE_EXCEEDED, "no place within %d ms" % self._setup["deadlineMs"])
                self._in_flight += 1
            finally:
                self._waiting -= 1

    def _pass_circuit(self):
        with self._places:
            if self._open_until is None:
                return False
            left = self._open_until - time.monotonic()
            if left <= 0 and not self._trying:
                self._trying = True
                return True
        when = "tried again in %d s" % (left + 1) if left > 0 else "being tried"
        failures = self._setup["circuit"]["failures"]
        refuse(UNAVAILABLE, "not called after %d failures in a row, %s: %s" % (failures, when, self._last_failure))

    def _succeeded(self):
        with self._places:
            self._failures = 0
            was_open, self._open_until = self._open_until is not None, None
        if was_open:
            tell({"circuit": "closed"})

    def _failed(self, text):
        with self._places:
            self._failures += 1
            self._last_failure = text[:300]
            if self._failures < self._setup["circuit"]["failures"]:
                return
            was_open = self._open_until is not None
            self._open_until = time.monotonic() + self._setup["circuit"]["pauseMs"] / 1000
        if not was_open:
            tell({"circuit": "open", "text": self._last_failure})


class Guarded:
    """The node with its gate before it."""

    def __init__(self, node, gate):
        self._node = node
        self._gate = gate

    def Handshake(self, request, context):
        return self._node.Handshake(request, context)

    def Process(self, request, context):
        return self._gate.run(lambda: self._node.Process(request, context))

    def start(self):
        if callable(getattr(self._node, "start", None)):
            self._node.start()

    def stop(self):
        if callable(getattr(self._node, "stop", None)):
            self._node.stop()


def refuse(grpc_code, text):
    tell({"end": 0, "ms": 0, "result": "refused", "text": text})
    raise Refused(grpc_code, text)


def elapsed(started):
    return round((time.monotonic() - started) * 1000, 2)


def load(file, settings):
    """Imports the file and makes its node: `node`, or the class in it that extends CustomNode."""
    from vantage_custom_node import CustomNode

    name = os.path.basename(file).split(".")[0]
    sys.path.insert(0, os.path.dirname(file))
    spec = importlib.util.spec_from_file_location(name, file)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    made = getattr(module, "node", None)
    if hasattr(made, "Process"):
        return made
    classes = [
        one
        for one in vars(module).values()
        if inspect.isclass(one) and issubclass(one, CustomNode) and one.__module__ == name
    ]
    if len(classes) != 1:
        found = "it has %d such classes" % len(classes) if classes else "it has none"
        raise TypeError(
            "%s has to hold one class that extends CustomNode, or a node named `node`; %s" % (os.path.basename(file), found)
        )
    return classes[0](settings) if takes_settings(classes[0]) else classes[0]()


def takes_settings(node_class):
    parameters = list(inspect.signature(node_class).parameters.values())
    return bool(parameters) and parameters[0].kind not in (parameters[0].KEYWORD_ONLY, parameters[0].VAR_KEYWORD)


def describe(error, folder):
    """One line: what, and where in the node's own files."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if frame.filename.startswith(folder + os.sep)]
    if isinstance(error, SyntaxError) and error.filename:
        return "%s: %s (%s line %s)" % (type(error).__name__, error.msg, os.path.basename(error.filename), error.lineno)
    text = " ".join(("%s: %s" % (type(error).__name__, error) if str(error) else type(error).__name__).split())[:400]
    if not own:
        return text
    return "%s (%s line %d in %s)" % (text, os.path.relpath(own[-1].filename, folder), own[-1].lineno, own[-1].name)


def tell(message):
    line = json.dumps(message).encode() + b"\n"
    with _telling:
        while line:
            line = line[os.write(CHANNEL, line) :]


def end_with_host():
    """Ends this process and what it started when the host ends, even while the node is busy."""
    lifeline = os.dup(0)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)

    def wait():
        while os.read(lifeline, 64):
            pass
        os.killpg(os.getpid(), signal.SIGKILL)

    threading.Thread(target=wait, daemon=True).start()


def limit(mebibytes):
    size = (mebibytes + SLACK_MIB) * 1024 * 1024
    resource.setrlimit(resource.RLIMIT_DATA, (size, size))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def serve(setup):
    from vantage_custom_node import CustomNodeServer

    node = load(setup["entry"], setup["settings"])
    tls = setup.get("tls")
    server = CustomNodeServer(
        setup["port"],
        Guarded(node, Gate(setup)),
        host=setup["host"],
        # The gate bounds what the node works on, and says why it refuses.
        workers=2 * setup["maxInFlight"] + 1,
        tls=(tls["certFile"], tls["keyFile"]) if tls else None,
        token=setup.get("token"),
        grace=setup["drainMs"] / 1000,
        reuse_port=True,
    )
    tell({"ready": {"port": server.start()}})
    return server


def main():
    end_with_host()
    faulthandler.enable()
    sys.stdout.reconfigure(line_buffering=True)
    sys.path[0] = os.path.realpath(SDK)
    channel = os.fdopen(os.dup(CHANNEL), "r", encoding="utf-8")
    setup = json.loads(channel.readline())
    limit(setup["memoryMiB"])
    try:
        server = serve(setup)
    except BaseException as error:
        tell({"failed": describe(error, setup["folder"])})
        os._exit(1)
    for line in channel:
        if json.loads(line).get("drain"):
            break
    server.stop()
    sys.stdout.flush()
    # A node's own threads must not keep the process.
    os._exit(0)


_telling = threading.Lock()
main()

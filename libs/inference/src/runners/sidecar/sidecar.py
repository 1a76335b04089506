"""Runs one ONNX model for a process of Vantage: the official ONNX Runtime package with every provider it was built with.

File descriptor 0: its end is ours. 3: messages, each a length (4 bytes, little-endian) and as many bytes of JSON.
4: a file that both sides hold open and map: tensors lie there, messages only say where.

-> {"load": {...}}   <- {"ready": {...}} or {"failed": {"what": "package" | "model", "reason": "..."}}
-> {"run": {...}}    <- {"outputs": [...]} or {"error": "..."}
"""

import json
import mmap
import os
import struct
import sys
import threading

ALIGNMENT = 64
MAX_MESSAGE = 4 * 1024 * 1024
PROVIDERS = {"tensorrt": "TensorrtExecutionProvider", "cuda": "CUDAExecutionProvider", "cpu": "CPUExecutionProvider"}


def read_exactly(fd, count):
    parts = []
    while count > 0:
        part = os.read(fd, count)
        if not part:
            sys.exit(0)
        parts.append(part)
        count -= len(part)
    return b"".join(parts)


def receive():
    (length,) = struct.unpack("<I", read_exactly(3, 4))
    if length > MAX_MESSAGE:
        raise ValueError("a message of %d bytes" % length)
    return json.loads(read_exactly(3, length))


def send(message):
    body = json.dumps(message).encode("utf-8")
    rest = memoryview(struct.pack("<I", len(body)) + body)
    while rest:
        rest = rest[os.write(3, rest) :]


class SharedFile:
    """Mapped anew when it has grown. Space is taken before it is written to: a full /dev/shm would kill the process."""

    def __init__(self, fd):
        self.fd = fd
        self.map = None

    def hold(self, size):
        if self.map is None or len(self.map) < size:
            if os.fstat(self.fd).st_size < size:
                os.posix_fallocate(self.fd, 0, size)
            # The old mapping ends when the last array that looks into it is gone.
            self.map = mmap.mmap(self.fd, size)
        return self.map


def type_name(text):
    """tensor(float) -> float32"""
    names = {"float": "float32", "double": "float64"}
    inner = text[len("tensor(") : -1] if text.startswith("tensor(") else "sequence"
    return names.get(inner, inner)


def value_info(value):
    dims = [size if isinstance(size, int) else -1 for size in value.shape or []]
    return {"name": value.name, "type": type_name(value.type), "dims": dims}


def open_session(ort, wish, model):
    """The first provider of the list that really takes the model, and why those before it did not."""
    missed = []
    available = ort.get_available_providers()
    for index, provider in enumerate(wish["providers"]):
        name = PROVIDERS[provider]
        if name not in available:
            missed.append("%s: onnxruntime %s was built without it" % (provider, ort.__version__))
            continue
        options = ort.SessionOptions()
        options.intra_op_num_threads = wish["threads"]
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        if wish.get("weightsFolder"):
            options.add_session_config_entry(
                "session.model_external_initializers_file_folder_path", wish["weightsFolder"]
            )
        # What one provider cannot run, the next ones do, and the CPU at last.
        rest = [each for each in wish["providers"][index:] if PROVIDERS[each] in available]
        chain = [(PROVIDERS[each], wish["options"].get(each, {})) for each in rest]
        try:
            session = ort.InferenceSession(model, sess_options=options, providers=chain, enable_fallback=0)
        except Exception as error:
            missed.append("%s: %s" % (provider, one_line(error)))
            continue
        # A provider whose library cannot be loaded is left out without an error.
        if session.get_providers()[0] != name:
            missed.append("%s: its libraries or its device cannot be used" % provider)
            continue
        session.disable_fallback()
        return session, provider, missed
    return None, None, missed


def one_line(error):
    return " ".join(str(error).split())[:500] or type(error).__name__


class PlainRunner:
    """Arrays in, arrays out: what the CPU needs."""

    def __init__(self, session):
        self.session = session
        self.names = [value.name for value in session.get_outputs()]

    def run(self, feeds):
        return self.session.run(self.names, feeds)


class BoundRunner:
    """Keeps a model's inputs and outputs in the memory of its device, at the same addresses for the same shapes, which
    is what CUDA graphs ask for. Each combination of shapes has buffers and a graph of its own."""

    def __init__(self, ort, session, device, device_id, graphs):
        self.ort = ort
        self.session = session
        self.place = (device, device_id)
        self.graphs = graphs
        self.names = [value.name for value in session.get_outputs()]
        self.plans = {}

    def run(self, feeds):
        key = tuple((name, array.shape) for name, array in sorted(feeds.items()))
        plan = self.plans.get(key)
        if plan is None:
            return self.first_run(key, feeds)
        binding, inputs, outputs, options = plan
        for name, array in feeds.items():
            inputs[name].update_inplace(array)
        self.session.run_with_iobinding(binding, options)
        binding.synchronize_outputs()
        return [value.numpy() for value in outputs]

    def first_run(self, key, feeds):
        """Finds out how large the outputs are; no graph is captured."""
        ort, (device, device_id) = self.ort, self.place
        if len(self.plans) >= 32:
            self.plans.clear()
        binding = self.session.io_binding()
        inputs = {}
        for name, array in feeds.items():
            inputs[name] = ort.OrtValue.ortvalue_from_numpy(array, device, device_id)
            binding.bind_ortvalue_input(name, inputs[name])
        for name in self.names:
            binding.bind_output(name, device, device_id)
        self.session.run_with_iobinding(binding, self.options("-1"))
        results = binding.copy_outputs_to_cpu()
        outputs = []
        binding.clear_binding_outputs()
        for name, result in zip(self.names, results):
            value = ort.OrtValue.ortvalue_from_shape_and_type(list(result.shape), result.dtype, device, device_id)
            binding.bind_ortvalue_output(name, value)
            outputs.append(value)
        self.plans[key] = (binding, inputs, outputs, self.options(str(len(self.plans) + 1)))
        return results

    def options(self, graph):
        if not self.graphs:
            return None
        options = self.ort.RunOptions()
        options.add_run_config_entry("gpu_graph_id", graph)
        return options


def fixed_outputs(session):
    """Whether outputs are as large in every run: lists of what was found are not, and need no fixed addresses."""
    return all(
        value.type.startswith("tensor(") and all(isinstance(size, int) for size in value.shape or ["?"])
        for value in session.get_outputs()
    )


def main():
    threading.Thread(target=end_with_parent, daemon=True).start()
    wish = receive()["load"]
    try:
        import numpy
        import onnxruntime as ort
    except Exception as error:
        return send({"failed": {"what": "package", "reason": one_line(error)}})
    ort.disable_telemetry_events()
    shared = SharedFile(4)
    model = wish["file"] if "file" in wish else bytes(shared.hold(wish["bytes"])[: wish["bytes"]])
    session, provider, missed = open_session(ort, wish, model)
    if session is None:
        return send({"failed": {"what": "model", "reason": "; ".join(missed)}})
    device = wish.get("bind") or ("cpu" if provider == "cpu" else "cuda")
    bound = (provider != "cpu" or wish.get("bind")) and fixed_outputs(session)
    runner = BoundRunner(ort, session, device, wish["deviceId"], wish["graphs"]) if bound else PlainRunner(session)
    send(
        {
            "ready": {
                "runtime": ort.__version__,
                "provider": provider,
                "missed": missed,
                "inputs": [value_info(value) for value in session.get_inputs()],
                "outputs": [value_info(value) for value in session.get_outputs()],
            }
        }
    )
    while True:
        request = receive()["run"]
        try:
            send({"outputs": run_once(numpy, shared, runner, request)})
        except Exception as error:
            send({"error": one_line(error)})


def run_once(numpy, shared, runner, request):
    memory = shared.hold(request["end"])
    feeds = {}
    for each in request["inputs"]:
        count = 1
        for size in each["dims"]:
            count *= size
        flat = numpy.frombuffer(memory, dtype=each["type"], count=count, offset=each["offset"])
        feeds[each["name"]] = flat.reshape(each["dims"])
    outputs = []
    at = request["end"]
    results = []
    for name, result in zip(runner.names, runner.run(feeds)):
        if not isinstance(result, numpy.ndarray) or result.dtype == object:
            raise TypeError("output %s is no tensor of numbers" % name)
        at = (at + ALIGNMENT - 1) // ALIGNMENT * ALIGNMENT
        outputs.append({"name": name, "type": str(result.dtype), "dims": list(result.shape), "offset": at})
        results.append((at, result))
        at += result.nbytes
    memory = shared.hold(at)
    for offset, result in results:
        if result.size > 0:
            target = numpy.frombuffer(memory, dtype=result.dtype, count=result.size, offset=offset)
            numpy.copyto(target.reshape(result.shape), result)
    return outputs


def end_with_parent():
    while os.read(0, 4096):
        pass
    os._exit(0)


main()

"""Runs one custom parser: imports the file, then answers one request after the other until the host goes away.

File descriptors: 0 ends when the host ends, 1 and 2 go to the host's log, 3 is the socket of the protocol, 4 the file
with the tensors. The protocol is described in wire.ts and tensor-file.ts.
"""

import faulthandler
import errno
import json
import math
import mmap
import os
import resource
import signal
import struct
import sys
import threading

from vantage_answer import Unusable, attributes_of, finite, numbers, overlay, put_message, unpack
from vantage_load import describe, import_file, missing_package

SOCKET, TENSORS = 3, 4
PID = os.getpid()
MAX_OBJECTS = 16384
MAX_HEADER_BYTES = 4 * 1024 * 1024
OUT_OF_RESOURCES = (errno.EMFILE, errno.ENFILE, errno.ENOMEM)


class PrimaryConfig:
    """The parser object that Azure DeepStream Accelerator hands to the functions of a primary."""

    def __init__(self, module, setup):
        self.model_type = module.model_type
        self.name = module.name
        self.labels = getattr(module, "labels", None)
        if self.labels is None:
            self.labels = setup["labels"]
        self.image_size = tuple(setup["imageSize"])
        self.network_size = tuple(setup["networkSize"])
        self.det_th = 0.5
        self.mns_th = 0.213

    def get_name(self):
        return self.name


class SecondaryConfig:
    """What stands for the message helper that Azure DeepStream Accelerator hands to a secondary."""

    def __getattr__(self, name):
        raise AttributeError("the config of a secondary parser has no " + name)


def main():
    end_with_host()
    # What was printed before a crash is not lost.
    sys.stdout.reconfigure(line_buffering=True)
    faulthandler.enable()
    faulthandler.register(signal.SIGUSR1, all_threads=True)
    os.register_at_fork(after_in_child=lambda: os.close(SOCKET))
    setup = receive()
    try:
        parser = Parser(setup)
    except BaseException as error:
        send({"failed": describe(error, setup["folder"]), "missing": missing_package(error)})
        return
    send({"ready": parser.info()})
    while True:
        request = receive()
        if request is None:
            return
        header, rows = parser.read(request)
        if os.getpid() != PID:
            # The parser forked and let the copy come back here: there is one process that answers.
            os._exit(0)
        send(header, rows)


class Parser:
    def __init__(self, setup):
        limit(setup["memoryLimitMb"])
        import numpy

        self.numpy = numpy
        # Removed in numpy 1.24, and used by parsers that were written for DeepStream 6.
        for name, kind in (("int", int), ("float", float), ("bool", bool), ("object", object), ("str", str)):
            if name not in numpy.__dict__:
                setattr(numpy, name, kind)
        self.setup = setup
        self.primary = setup["role"] == "primary"
        self.module = import_file(setup["file"])
        if self.primary:
            self.check_primary()
            self.config = PrimaryConfig(self.module, setup)
        else:
            self.module.parse_sgie_model, self.module.gie_unique_id
            self.config = SecondaryConfig()

    def check_primary(self):
        module = self.module
        if not isinstance(module.name, str):
            raise Unusable("name must be a string")
        if module.model_type not in (0, 1):
            raise Unusable("model_type must be 0 (detection) or 1 (custom), it is %r" % (module.model_type,))
        needed = "parse_custom_model" if module.model_type == 1 else "parse_det_model"
        if not callable(getattr(module, needed, None)):
            raise Unusable("model_type is %d, so a function %s is needed" % (module.model_type, needed))

    def info(self):
        module = self.module
        runtime = "Python %d.%d.%d, numpy %s" % (sys.version_info[:3] + (self.numpy.__version__,))
        if not self.primary:
            name = getattr(module, "name", None)
            name = name if isinstance(name, str) else module.__name__
            return {"name": name, "labels": [], "gieUniqueId": int(module.gie_unique_id), "runtime": runtime}
        return {
            "name": module.name,
            "modelType": "custom" if module.model_type == 1 else "detection",
            "labels": [str(label) for label in self.config.labels],
            "runtime": runtime,
        }

    def read(self, request):
        answer = {"problems": []}
        rows = b""
        mapping = None
        try:
            outputs, mapping = self.map_outputs(request)
            try:
                rows = self.call(request, outputs, answer)
            finally:
                # Otherwise the frame of this function would keep the mapping alive.
                del outputs
        except BaseException as error:
            answer = {"failed": describe(error, self.setup["folder"])}
            rows = b""
            answer["fatal"] = isinstance(error, MemoryError) or (
                isinstance(error, OSError) and error.errno in OUT_OF_RESOURCES
            )
            error.__traceback__ = None
            del error
        if mapping is not None and sys.getrefcount(mapping) > 2:
            self.keep(mapping)
        return answer, rows

    def call(self, request, outputs, answer):
        module, config = self.module, self.config
        if not self.primary:
            put_message(answer, module.parse_sgie_model(config, outputs), False)
            return b""
        if config.model_type == 0:
            result = module.parse_det_model(config, outputs)
            boxes, classes, scores, message = unpack(result, 4, "parse_det_model", "(bboxes, labels, scores, message)")
            put_message(answer, message, True)
            return self.detections(boxes, classes, scores, answer)
        result = module.parse_custom_model(config, outputs)
        data, message = unpack(result, 2, "parse_custom_model", "(data, message)")
        put_message(answer, message, True)
        add = getattr(module, "add_custom_to_meta", None)
        if data is None or add is None:
            return b""
        import vantage_pyds

        frame = vantage_pyds.NvDsFrameMeta(request["id"], *config.image_size)
        add(config, data, vantage_pyds.NvDsBatchMeta(frame), frame)
        return self.added(frame, answer)

    def map_outputs(self, request):
        """The outputs over a private mapping: the parser may write into them, and they cost no copy."""
        size = request["bytes"]
        mapping = mmap.mmap(TENSORS, size, access=mmap.ACCESS_COPY) if size > 0 else None
        outputs = {}
        for tensor in request["tensors"]:
            array = None
            if tensor["type"] is not None:
                dims, kind = tensor["dims"], tensor["type"]
                count = math.prod(dims)
                if count == 0:
                    array = self.numpy.zeros(dims, kind)
                else:
                    array = self.numpy.frombuffer(mapping, kind, count, tensor["offset"]).reshape(dims)
            outputs[tensor["name"]] = array
        return outputs, mapping

    def keep(self, mapping):
        """The parser keeps outputs beyond its call: touching each page takes it out of the shared file."""
        pages = self.numpy.frombuffer(mapping, self.numpy.uint8)[:: mmap.PAGESIZE]
        pages |= 0

    def detections(self, boxes, classes, scores, answer):
        numpy = self.numpy
        boxes = numbers(numpy, boxes, "bboxes")
        classes = numbers(numpy, classes, "labels").reshape(-1)
        scores = numbers(numpy, scores, "scores").reshape(-1)
        if boxes.size == 0:
            boxes = boxes.reshape(0, 4)
        if boxes.ndim != 2 or boxes.shape[1] < 4:
            raise Unusable("parse_det_model gave bboxes of shape %s instead of N x 4" % (list(boxes.shape),))
        if not len(boxes) == len(classes) == len(scores):
            counts = (len(boxes), len(classes), len(scores))
            raise Unusable("parse_det_model gave %d bboxes, %d labels and %d scores" % counts)
        return self.rows(numpy.column_stack((classes, scores, boxes[:, :4])), answer)[0]

    def added(self, frame, answer):
        rows, labels, attributes = [], [], []
        for item in frame.objects:
            rect = item.rect_params
            rows.append([item.class_id, item.confidence, rect.left, rect.top, rect.width, rect.height])
            labels.append(str(item.obj_label) if item.obj_label else None)
            attributes.append(attributes_of(item))
        table = numbers(self.numpy, rows, "objects of add_custom_to_meta").reshape(-1, 6)
        encoded, kept = self.rows(table, answer)
        answer["labels"] = [labels[index] for index in kept]
        if any(attributes):
            answer["attributes"] = [attributes[index] for index in kept]
        answer["overlay"] = overlay(frame.displays, answer["problems"])
        return encoded

    def rows(self, table, answer):
        numpy = self.numpy
        finite = numpy.isfinite(table).all(axis=1)
        good = finite & (table[:, 4] >= 0) & (table[:, 5] >= 0)
        if not finite.all():
            answer["problems"].append("%d of %d objects hold NaN or infinity" % ((~finite).sum(), len(table)))
        if (finite & ~good).any():
            answer["problems"].append("%d of %d boxes have a negative size" % ((finite & ~good).sum(), len(table)))
        kept = numpy.flatnonzero(good)
        if len(kept) > MAX_OBJECTS:
            answer["problems"].append("only the first %d of %d objects are kept" % (MAX_OBJECTS, len(kept)))
            kept = kept[:MAX_OBJECTS]
        return table[kept].astype("<f8").tobytes(), kept.tolist()


def limit(megabytes):
    size = megabytes * 1024 * 1024
    resource.setrlimit(resource.RLIMIT_AS, (size, size))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def end_with_host():
    """Ends this process and what it started when the host ends, even while the parser is busy."""
    lifeline = os.dup(0)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)

    def wait():
        while os.read(lifeline, 64):
            pass
        os.killpg(PID, signal.SIGKILL)

    threading.stack_size(512 * 1024)
    threading.Thread(target=wait, daemon=True).start()
    threading.stack_size(0)


def receive():
    lengths = read_exactly(8)
    if lengths is None:
        return None
    return json.loads(read_exactly(struct.unpack("<II", lengths)[0]))


def read_exactly(count):
    data = bytearray()
    while len(data) < count:
        part = os.read(SOCKET, count - len(data))
        if not part:
            return None
        data += part
    return bytes(data)


def send(header, rows=b""):
    text = json.dumps(header).encode()
    if len(text) > MAX_HEADER_BYTES:
        text = json.dumps({"failed": "the answer has %d bytes, more than %d" % (len(text), MAX_HEADER_BYTES)}).encode()
        rows = b""
    data = memoryview(struct.pack("<II", len(text), len(rows)) + text + rows)
    while data:
        data = data[os.write(SOCKET, data) :]


main()

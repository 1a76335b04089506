"""The Python pair of P5: the plainest client and server of the custom node protocol that grpcio allows.

    custom_node.py serve                                       prints its port, serves until its input ends
    custom_node.py send ENDPOINT WIDTH HEIGHT SECONDS          prints {"frames", "seconds", "cpuMs"}
"""

import json
import pathlib
import resource
import sys
import time
from concurrent import futures

import grpc
import numpy

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "sdk/python"))
from vantage_custom_node import custom_node_pb2 as pb  # noqa: E402
from vantage_custom_node import custom_node_pb2_grpc  # noqa: E402

WARM_UP_SECONDS = 1.5
LIMITS = [("grpc.max_receive_message_length", 64 * 1024 * 1024), ("grpc.max_send_message_length", -1)]


class Node(custom_node_pb2_grpc.CustomNodeHandlerServicer):
    """The public sample's answers, with the picture as an array."""

    def Handshake(self, request, context):
        return pb.HandshakeResponse(ack=request.seq, process_response_type=pb.INSIGHTS_META_ONLY)

    def Process(self, request, context):
        image = request.frame.image
        shape = (image.properties.height, image.properties.width, 3)
        picture = numpy.frombuffer(image.image_pointer, dtype=numpy.uint8).reshape(shape)
        car = pb.ObjectMeta(
            timestamp=pb.Timestamp(seconds=10, nanos=int(picture[0, 0, 0])),
            label="car",
            confidence=0.9,
            inference_id="inference_1",
            bbox=pb.BBox(l=0.1, t=0.2, w=0.3, h=0.4),
        )
        return pb.ProcessResponse(ack=request.seq, insights_meta=pb.InsightsMeta(objects_meta=[car]))


def serve():
    server = grpc.server(futures.ThreadPoolExecutor(), options=LIMITS)
    custom_node_pb2_grpc.add_CustomNodeHandlerServicer_to_server(Node(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)
    sys.stdin.read()
    server.stop(None)


def send(endpoint, width, height, seconds):
    channel = grpc.insecure_channel(endpoint, LIMITS)
    stub = custom_node_pb2_grpc.CustomNodeHandlerStub(channel)
    stub.Handshake(pb.HandshakeRequest(seq=1))
    picture = numpy.random.randint(0, 255, (height, width, 3), dtype=numpy.uint8)
    seq = 1

    def one():
        nonlocal seq
        seq += 1
        image = pb.Image(
            image_pointer=picture.tobytes(),
            properties=pb.ImageProperties(height=height, width=width, color_format=pb.COLOR_FORMAT_BGR),
        )
        frame = pb.Frame(
            image=image,
            timestamp=pb.Timestamp(seconds=0, nanos=0),
            frame_id=str(seq),
            datetime="2000-01-01T00:00:00",
        )
        response = stub.Process(pb.ProcessRequest(seq=seq, frame=frame))
        assert response.ack == seq and len(response.insights_meta.objects_meta) == 1

    until = time.perf_counter() + WARM_UP_SECONDS
    while time.perf_counter() < until:
        one()
    begun, cpu, frames = time.perf_counter(), cpu_ms(), 0
    while time.perf_counter() - begun < seconds:
        one()
        frames += 1
    print(json.dumps({"frames": frames, "seconds": time.perf_counter() - begun, "cpuMs": cpu_ms() - cpu}))


def cpu_ms():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return (usage.ru_utime + usage.ru_stime) * 1000


if sys.argv[1] == "serve":
    serve()
else:
    send(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), float(sys.argv[5]))

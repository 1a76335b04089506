"""Tests of the SDK against real servers on loopback. Run by sdk.spec.ts, or: python3 -m unittest discover sdk/python/test"""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import unittest

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent
sys.path.insert(0, str(ROOT))

import grpc  # noqa: E402
import numpy  # noqa: E402

from vantage_custom_node import (  # noqa: E402
    Answer,
    Attribute,
    CustomNode,
    CustomNodeClient,
    CustomNodeServer,
    DetectedObject,
    Event,
    ImageError,
    NodeDescription,
    custom_node_pb2,
    custom_node_pb2_grpc,
    images,
)
from vantage_custom_node import health  # noqa: E402

GOLDEN = ROOT.parent.parent / "libs/contracts/test/custom-node-golden.json"


def ramp(height, width):
    """A picture whose every pixel is another."""
    return (numpy.arange(height * width * 3) % 251).astype("uint8").reshape(height, width, 3)


def has_jpeg():
    try:
        images.encode_jpeg(ramp(2, 2))
        return True
    except ImageError:
        return False


class Served(unittest.TestCase):
    def serve(self, node, **options):
        server = CustomNodeServer(0, node, host="127.0.0.1", **options)
        port = server.start()
        self.addCleanup(server.stop, 0)
        return f"127.0.0.1:{port}", server

    def client(self, address, **options):
        client = CustomNodeClient(address, "instance", "skill", "camera", timeout=10, **options)
        self.addCleanup(client.close)
        return client

    def fails(self, code, call, *arguments):
        with self.assertRaises(grpc.RpcError) as caught:
            call(*arguments)
        self.assertEqual(caught.exception.code(), code)
        return caught.exception.details()


class Wire(unittest.TestCase):
    def test_golden_bytes(self):
        golden = json.loads(GOLDEN.read_text())
        self.assertEqual(len(golden), 10)
        for name, vector in golden.items():
            message = getattr(custom_node_pb2, vector["type"].split(".")[-1]).FromString(bytes.fromhex(vector["hex"]))
            self.assertEqual(message.SerializeToString(deterministic=True).hex(), vector["hex"], name)

    def test_lives_beside_a_generated_file_of_the_same_name(self):
        from google.protobuf import descriptor_pb2, descriptor_pool

        other = descriptor_pb2.FileDescriptorProto(name="custom_node.proto", package="custom_node", syntax="proto3")
        other.message_type.add(name="Frame")
        descriptor_pool.Default().AddSerializedFile(other.SerializeToString())
        self.assertEqual(custom_node_pb2.Frame(frame_id="1").frame_id, "1")

    def test_enums_as_protoc_names_them(self):
        self.assertEqual(custom_node_pb2.ImageType.IMAGE_TYPE_JPEG, 2)
        self.assertEqual(custom_node_pb2.COLOR_FORMAT_RGB, 1)
        self.assertEqual(custom_node_pb2.ProcessResponseType.Name(3), "EMPTY")


class Images(unittest.TestCase):
    def test_bmp_has_the_bytes_opencv_writes(self):
        data = images.encode_bmp(ramp(2, 3))
        self.assertEqual((data[:2], len(data), data[10], data[28]), (b"BM", 54 + 2 * 12, 54, 24))
        # Bottom row first, three pixels of three bytes, three bytes of padding.
        self.assertEqual(list(data[54:66]), [9, 10, 11, 12, 13, 14, 15, 16, 17, 0, 0, 0])
        self.assertTrue((images.decode_bmp(data) == ramp(2, 3)).all())

    @unittest.skipUnless(has_jpeg(), "neither OpenCV nor Pillow")
    def test_jpeg_keeps_blue_blue(self):
        blue = numpy.zeros((32, 48, 3), "uint8")
        blue[:, :, 0] = 255
        data = images.encode_jpeg(blue)
        self.assertEqual(data[:2], b"\xff\xd8")
        decoded = images.decode_jpeg(data)
        self.assertEqual(decoded.shape, (32, 48, 3))
        self.assertLess(numpy.abs(decoded.astype(int) - blue).max(), 4)

    def test_what_cannot_be_is_refused(self):
        truncated = images.encode_bmp(ramp(4, 4))[:-1]
        absurd = bytearray(images.encode_bmp(ramp(4, 4)))
        absurd[18:22] = (0x7FFFFFFF).to_bytes(4, "little")
        for call, argument in [
            (images.decode_bmp, b""),
            (images.decode_bmp, truncated),
            (images.decode_bmp, bytes(absurd)),
            (images.check_array, "text"),
            (images.check_array, numpy.zeros((2, 2, 3), "float32")),
            (images.check_array, numpy.zeros((2, 2, 4), "uint8")),
            (images.check_array, numpy.zeros((0, 2, 3), "uint8")),
        ]:
            with self.assertRaises(ImageError):
                call(argument)
        for height, width in [(0, 0), (-1, -4), (2, 3), (2**40, 2**40)]:
            with self.assertRaises(ImageError):
                images.decode_raw(bytes(12), height, width)

    @unittest.skipUnless(has_jpeg(), "neither OpenCV nor Pillow")
    def test_a_broken_jpeg_is_refused(self):
        with self.assertRaises(ImageError):
            images.decode_jpeg(b"\xff\xd8 no picture")


class Mirror(CustomNode):
    def __init__(self, image="numpy"):
        self.image = image

    def describe(self):
        return NodeDescription(image=self.image, response="image")

    def process(self, frame):
        return frame.view[:, ::-1]


class Processing(Served):
    def test_pixels_and_facts_arrive(self):
        seen = []

        class Look(CustomNode):
            def process(self, frame):
                seen.append(frame)

        address, _ = self.serve(Look())
        upstream = custom_node_pb2.InsightsMeta(other_meta={"a": "b"})
        one = upstream.objects_meta.add(label="car", confidence=0.5, inference_id="7")
        one.bbox.l, one.tracking_info.tracking_id = 0.25, "12"
        one.attributes.add(name="colour", label="red", confidence=1)
        upstream.events_meta.add(type="dwell", event_id="e", related_ids=["7"], properties={"zone": "gate"})
        roi = custom_node_pb2.Roi(name="gate", type=custom_node_pb2.POLYGON, id="1", value="[[0,0],[1,0],[1,1]]")
        self.client(address).send(numpy.arange(12, dtype="uint8").reshape(2, 2, 3), upstream, roi)
        (frame,) = seen
        self.assertEqual((frame.width, frame.height, frame.color_format, frame.seq), (2, 2, "BGR", 2))
        self.assertEqual(frame.pixels[0, 1].tolist(), [3, 4, 5])
        frame.pixels[0, 0] = 9
        self.assertEqual(frame.view[0, 0].tolist(), [0, 1, 2])
        self.assertFalse(frame.view.flags.writeable)
        (seen_object,) = frame.objects
        self.assertEqual((seen_object.label, seen_object.box[0], seen_object.tracking_id), ("car", 0.25, "12"))
        self.assertEqual(seen_object.attributes, [Attribute("colour", "red", 1.0)])
        self.assertEqual((frame.events[0].properties, frame.other), ({"zone": "gate"}, {"a": "b"}))
        self.assertEqual((frame.roi.type, frame.roi.points), ("polygon", [[0, 0], [1, 0], [1, 1]]))
        self.assertTrue(frame.datetime.endswith("+00:00"))

    def test_everything_of_an_answer_is_sent(self):
        class Full(CustomNode):
            def process(self, frame):
                return Answer(
                    objects=[
                        DetectedObject(
                            "car",
                            0.9,
                            (0.1, 0.2, 0.3, 0.4),
                            [Attribute("colour", "red", 0.5)],
                            inference_id="1",
                            tracking_id="t",
                            speed=2,
                            direction=(1, 0),
                            time=5.25,
                        ),
                        DetectedObject("scene", 1),
                    ],
                    events=[Event("crossed", "e1", ["1"], {"line": 3})],
                    other={"light": 12},
                )

        address, _ = self.serve(Full())
        insights = self.client(address).send(ramp(2, 2)).insights_meta
        car, scene = insights.objects_meta
        self.assertEqual((car.timestamp.seconds, car.timestamp.nanos), (5, 250_000_000))
        self.assertEqual((car.tracking_info.tracking_id, car.tracking_info.direction.x), ("t", 1))
        self.assertEqual((car.attributes[0].label, round(car.bbox.h, 6)), ("red", 0.4))
        self.assertGreater(scene.timestamp.seconds, 1_700_000_000)
        self.assertFalse(scene.HasField("bbox"))
        self.assertEqual(insights.events_meta[0].properties["line"], "3")
        self.assertEqual(insights.other_meta["light"], "12")

    def test_pictures_come_back_in_each_encoding(self):
        for image in ["numpy", "bmp"] + (["jpeg"] if has_jpeg() else []):
            with self.subTest(image):
                address, _ = self.serve(Mirror(image))
                client = self.client(address)
                sent = numpy.full((17, 33, 3), 40, "uint8")
                sent[:, :16] = 200
                answer = client.picture(client.send(sent)).astype(int)
                self.assertLess(numpy.abs(answer - sent[:, ::-1]).mean(), 5 if image == "jpeg" else 1e-9)

    def test_a_node_that_wants_no_pixels_gets_none(self):
        class Blind(CustomNode):
            def describe(self):
                return NodeDescription(image="none", response="insights")

            def process(self, frame):
                return Answer(other={"pixels": str(frame.pixels), "size": f"{frame.width}x{frame.height}"})

        address, _ = self.serve(Blind())
        other = self.client(address).send(ramp(4, 6)).insights_meta.other_meta
        self.assertEqual(dict(other), {"pixels": "None", "size": "6x4"})

    def test_4k_is_accepted(self):
        address, _ = self.serve(Mirror())
        client = self.client(address)
        self.assertEqual(client.picture(client.send(numpy.zeros((2160, 3840, 3), "uint8"))).shape, (2160, 3840, 3))

    def test_code_of_the_sample_runs_with_its_import_changed(self):
        class Sample(CustomNode):
            def Handshake(self, request: custom_node_pb2.HandshakeRequest, context) -> custom_node_pb2.HandshakeResponse:
                return custom_node_pb2.HandshakeResponse(
                    ack=request.seq, process_response_type=custom_node_pb2.ProcessResponseType.EMPTY
                )

            def Process(self, request, context):
                return custom_node_pb2.ProcessResponse(ack=request.seq)

        address, _ = self.serve(Sample())
        client = self.client(address)
        self.assertEqual([client.send(ramp(2, 2)).ack for _ in range(3)], [2, 3, 4])

    def test_any_servicer_can_be_registered(self):
        from concurrent import futures

        server = grpc.server(futures.ThreadPoolExecutor(2))
        custom_node_pb2_grpc.add_CustomNodeHandlerServicer_to_server(Mirror(), server)
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        self.addCleanup(server.stop, 0)
        self.assertEqual(self.client(f"127.0.0.1:{port}").image_type, "numpy")


class BadInput(Served):
    def test_what_a_node_raises_is_told_and_the_next_frame_goes_on(self):
        class Moody(CustomNode):
            calls = 0

            def process(self, frame):
                self.calls += 1
                if self.calls == 1:
                    raise ValueError("no model loaded")
                if self.calls == 2:
                    sys.exit(3)
                if self.calls == 3:
                    return [DetectedObject("x", float("nan"))]
                if self.calls == 4:
                    return "a text"
                if self.calls == 5:
                    return numpy.zeros((2, 2, 3), "uint8")
                if self.calls == 6:
                    error = RuntimeError("busy")
                    error.grpc_code = 14
                    raise error
                return None

        address, _ = self.serve(Moody())
        client = self.client(address)
        send = lambda: client.send(ramp(2, 2))  # noqa: E731
        self.assertEqual(self.fails(grpc.StatusCode.UNKNOWN, send), "Exception calling application: no model loaded")
        self.assertIn("called exit", self.fails(grpc.StatusCode.UNKNOWN, send))
        self.assertIn("objects[0].confidence is nan", self.fails(grpc.StatusCode.UNKNOWN, send))
        self.assertIn("not str", self.fails(grpc.StatusCode.UNKNOWN, send))
        self.assertIn("promised response='insights'", self.fails(grpc.StatusCode.UNKNOWN, send))
        self.assertEqual(self.fails(grpc.StatusCode.UNAVAILABLE, send), "busy")
        self.assertEqual(send().ack, 2)

    def test_a_picture_that_is_not_what_it_says_is_refused(self):
        address, _ = self.serve(Mirror())
        stub = self.client(address).stub
        request = custom_node_pb2.ProcessRequest(seq=2)
        request.frame.image.image_pointer = bytes(11)
        request.frame.image.properties.height = request.frame.image.properties.width = 2
        self.assertIn("needs 12 bytes, 11 came", self.fails(grpc.StatusCode.UNKNOWN, stub.Process, request))

    def test_an_empty_request_is_answered(self):
        class Count(CustomNode):
            def process(self, frame):
                return Answer(other={"n": len(frame.objects), "pixels": frame.pixels is not None})

        address, _ = self.serve(Count())
        answer = self.client(address).stub.Process(custom_node_pb2.ProcessRequest())
        self.assertEqual((answer.ack, dict(answer.insights_meta.other_meta)), (0, {"n": "0", "pixels": "False"}))

    def test_a_node_without_methods_says_so(self):
        address, _ = self.serve(CustomNode())
        self.assertIn("neither process", self.fails(grpc.StatusCode.UNKNOWN, self.client(address).send, ramp(2, 2)))

    def test_messages_over_the_limit_are_refused(self):
        address, _ = self.serve(Mirror(), max_message_bytes=4_194_304)
        details = self.fails(
            grpc.StatusCode.RESOURCE_EXHAUSTED, self.client(address).send, numpy.zeros((1080, 1920, 3), "uint8")
        )
        self.assertIn("vs. 4194304", details)

    def test_the_limit_is_told_in_the_handshake(self):
        for options, expected in [({}, "67108864"), ({"max_message_bytes": 4_194_304}, None)]:
            address, _ = self.serve(Mirror(), **options)
            request = custom_node_pb2.HandshakeRequest(seq=1)
            _, call = self.client(address).stub.Handshake.with_call(request)
            self.assertEqual(dict(call.initial_metadata()).get("vantage-max-message-bytes"), expected)

    def test_a_port_in_use_is_an_error(self):
        _, server = self.serve(Mirror())
        with self.assertRaisesRegex(OSError, "cannot listen"):
            CustomNodeServer(server.port, Mirror(), host="127.0.0.1").start()

    def test_descriptions_are_checked(self):
        for wrong in [{"image": "png"}, {"response": "both"}, {"answer_image": "none"}]:
            with self.assertRaises(ValueError):
                NodeDescription(**wrong)

    def test_a_client_refuses_a_wrong_handshake(self):
        class Wrong(CustomNode):
            def __init__(self, **answer):
                self.answer = answer

            def Handshake(self, request, context):
                return custom_node_pb2.HandshakeResponse(**self.answer)

        for answer, text in [({"ack": 7}, "Incorrect Ack, expect 1 but got 7"), ({"ack": 1, "image_type": 9}, "Unknown Image Type 9")]:
            address, _ = self.serve(Wrong(**answer))
            with self.assertRaisesRegex(Exception, text):
                self.client(address)


class Serving(Served):
    def test_workers_run_at_the_same_time(self):
        meeting = threading.Barrier(3, timeout=10)

        class Meet(CustomNode):
            def process(self, frame):
                meeting.wait()

        address, _ = self.serve(Meet(), workers=3)
        clients = [self.client(address) for _ in range(3)]
        threads = [threading.Thread(target=client.send, args=(ramp(2, 2),)) for client in clients]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual([client.seq for client in clients], [3, 3, 3])

    def test_one_worker_takes_one_frame_after_the_other(self):
        running, most = 0, 0
        lock = threading.Lock()

        class One(CustomNode):
            def process(self, frame):
                nonlocal running, most
                with lock:
                    running += 1
                    most = max(most, running)
                threading.Event().wait(0.02)
                with lock:
                    running -= 1

        address, _ = self.serve(One(), workers=1)
        threads = [threading.Thread(target=self.client(address).send, args=(ramp(2, 2),)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(most, 1)

    def test_health(self):
        address, server = self.serve(Mirror())
        channel = grpc.insecure_channel(address)
        self.addCleanup(channel.close)
        coders = (health.HealthCheckRequest.SerializeToString, health.HealthCheckResponse.FromString)
        check = channel.unary_unary("/grpc.health.v1.Health/Check", *coders)
        watch = channel.unary_stream("/grpc.health.v1.Health/Watch", *coders)
        for service in ["", "custom_node.CustomNodeHandler"]:
            self.assertEqual(check(health.HealthCheckRequest(service=service), timeout=5).status, health.SERVING)
        self.fails(grpc.StatusCode.NOT_FOUND, check, health.HealthCheckRequest(service="other"))
        states = watch(health.HealthCheckRequest(), timeout=10)
        self.assertEqual(next(states).status, health.SERVING)
        threading.Thread(target=server.stop).start()
        self.assertEqual(next(states).status, health.NOT_SERVING)

    def test_a_token_is_asked_for(self):
        address, _ = self.serve(Mirror(), token="secret")
        for wrong in [None, "", "other", "secre"]:
            self.fails(grpc.StatusCode.UNAUTHENTICATED, lambda: self.client(address, token=wrong))
        self.assertEqual(self.client(address, token="secret").send(ramp(2, 2)).ack, 2)

    @unittest.skipUnless(shutil.which("openssl"), "no openssl to make a certificate with")
    def test_tls(self):
        with tempfile.TemporaryDirectory() as folder:
            key, chain = f"{folder}/key.pem", f"{folder}/chain.pem"
            subprocess.run(
                ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
                + ["-keyout", key, "-out", chain, "-days", "1", "-subj", "/CN=localhost"]
                + ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"],
                check=True,
                capture_output=True,
            )
            address, _ = self.serve(Mirror(), tls=(chain, key))
            self.assertEqual(self.client(address, tls=chain).send(ramp(2, 2)).ack, 2)
            self.fails(grpc.StatusCode.UNAVAILABLE, lambda: self.client(address))

    def test_start_and_stop_of_the_node(self):
        calls = []

        class Model(CustomNode):
            def start(self):
                calls.append("start")

            def process(self, frame):
                calls.append("process")

            def stop(self):
                calls.append("stop")

        address, server = self.serve(Model())
        self.client(address).send(ramp(2, 2))
        server.stop()
        server.stop()
        self.assertEqual(calls, ["start", "process", "stop"])

    def test_calls_under_way_are_finished_on_sigterm(self):
        program = (
            "import sys, threading; sys.path.insert(0, sys.argv[1])\n"
            "from vantage_custom_node import CustomNode, CustomNodeServer\n"
            "class Slow(CustomNode):\n"
            "    def process(self, frame):\n"
            "        print('busy', flush=True); threading.Event().wait(0.5)\n"
            "CustomNodeServer(0, Slow(), host='127.0.0.1').serve()\n"
        )
        process = subprocess.Popen([sys.executable, "-c", program, str(ROOT)], stdout=subprocess.PIPE, text=True)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.kill)
        line = process.stdout.readline()
        self.assertTrue(line.startswith("Server started, listening on "), line)
        client = self.client(f"127.0.0.1:{line.split()[-1]}")
        answers = []
        thread = threading.Thread(target=lambda: answers.append(client.send(ramp(2, 2)).ack))
        thread.start()
        self.assertEqual(process.stdout.readline(), "busy\n")
        process.send_signal(signal.SIGTERM)
        thread.join(10)
        self.assertEqual((answers, process.wait(10)), ([2], 0))


class Examples(Served):
    def example(self, name, *arguments):
        process = subprocess.Popen(
            [sys.executable, str(ROOT / "examples" / name), "--port", "0", *arguments],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        )
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.addCleanup(process.stdout.close)
        return process, f"127.0.0.1:{process.stdout.readline().split()[-1]}"

    def test_fake_detection(self):
        process, address = self.example("fake_detection.py")
        client = self.client(address)
        answers = [client.send(ramp(2, 2)) for _ in range(2)]
        golden = json.loads(GOLDEN.read_text())
        expected = next(v["hex"] for v in golden.values() if v["hex"].startswith("08021a350a330a04080a1064"))
        self.assertEqual(answers[0].SerializeToString().hex(), expected)
        self.assertEqual(client.handshake.SerializeToString().hex(), "08012001")
        self.assertEqual([process.stdout.readline() for _ in range(4)], ["processing ...\n", "ok\n"] * 2)

    def test_blur(self):
        _, address = self.example("blur.py", "--label", "face", "--blocks", "1")
        upstream = custom_node_pb2.InsightsMeta()
        for label, left in [("face", 0.0), ("car", 0.5)]:
            one = upstream.objects_meta.add(label=label)
            one.bbox.l, one.bbox.t, one.bbox.w, one.bbox.h = left, 0, 0.5, 1
        client = self.client(address)
        sent = ramp(8, 8)
        answer = client.picture(client.send(sent, upstream))
        self.assertTrue((answer[:, 4:] == sent[:, 4:]).all())
        self.assertTrue((answer[:, :4] == sent[:, :4].mean(axis=(0, 1)).astype("uint8")).all())


if __name__ == "__main__":
    unittest.main()

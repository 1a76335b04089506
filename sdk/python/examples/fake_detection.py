#!/usr/bin/env python3
"""Finds a car in every frame, always the same one: what the public sample of the protocol does, to try a pipeline with.

    python3 fake_detection.py [--port 6677] [--max-message-bytes 4194304]

It overrides Handshake and Process as the sample does, and like the sample it refuses messages over 4 MiB and knows of no
shared memory.
"""

import argparse

import _sdk  # noqa: F401
from vantage_custom_node import CustomNode, CustomNodeServer
from vantage_custom_node import custom_node_pb2 as pb


class FakeDetection(CustomNode):
    def Handshake(self, request, context):
        return pb.HandshakeResponse(
            ack=request.seq,
            image_type=pb.ImageType.IMAGE_TYPE_NUMPY,
            process_request_type=pb.ProcessRequestType.FRAME_WITH_IMAGE,
            process_response_type=pb.ProcessResponseType.INSIGHTS_META_ONLY,
        )

    def Process(self, request, context):
        print("processing ...", flush=True)
        car = pb.ObjectMeta(
            timestamp=pb.Timestamp(seconds=10, nanos=100),
            label="car",
            confidence=0.9,
            inference_id="inference_1",
            bbox=pb.BBox(l=0.1, t=0.2, w=0.3, h=0.4),
        )
        print("ok", flush=True)
        return pb.ProcessResponse(ack=request.seq, insights_meta=pb.InsightsMeta(objects_meta=[car]))


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--port", type=int, default=6677, help="0 takes a free one")
    options.add_argument("--max-message-bytes", type=int, default=4_194_304)
    chosen = options.parse_args()
    server = CustomNodeServer(
        chosen.port, FakeDetection(), max_message_bytes=chosen.max_message_bytes, shared_memory=False
    )
    server.serve()

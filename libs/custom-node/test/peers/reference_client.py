"""Sends 2x2 frames of bytes 0..11 as the reference runtime's client does: no ids, placeholders instead of facts.

    python3 reference_client.py <port> [count]

Prints one JSON line for each answer.
"""

import json
import sys

import grpc
from vantage_custom_node import custom_node_pb2 as pb


def main(port, count):
    channel = grpc.insecure_channel(f"127.0.0.1:{port}")

    def call(name, request, answer):
        path = f"/custom_node.CustomNodeHandler/{name}"
        ask = channel.unary_unary(path, request_serializer=lambda m: m.SerializeToString(), response_deserializer=answer)
        return ask(request)

    answer = call("Handshake", pb.HandshakeRequest(seq=1), pb.HandshakeResponse.FromString)
    print(json.dumps({"ack": answer.ack, "image": answer.image_type, "response": answer.process_response_type}))
    for seq in range(2, 2 + count):
        image = pb.Image(image_pointer=bytes(range(12)), properties=pb.ImageProperties(height=2, width=2))
        frame = pb.Frame(image=image, timestamp=pb.Timestamp(), frame_id="0", datetime="2000-01-01T00:00:00")
        answer = call("Process", pb.ProcessRequest(seq=seq, frame=frame), pb.ProcessResponse.FromString)
        labels = [thing.label for thing in answer.insights_meta.objects_meta]
        print(json.dumps({"ack": answer.ack, "labels": labels, "pixels": answer.image.image_pointer.hex()}))
    channel.close()


main(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 3)

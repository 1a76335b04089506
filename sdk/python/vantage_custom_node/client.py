"""A client in the shape of the public sample, for tests and for trying a node."""

import datetime
import time

import grpc

from . import custom_node_pb2 as pb
from . import custom_node_pb2_grpc, images
from .server import MAX_MESSAGE_BYTES

_ENCODINGS = {
    pb.IMAGE_TYPE_NUMPY: ("numpy", images.encode_raw),
    pb.IMAGE_TYPE_BMP: (".bmp", images.encode_bmp),
    pb.IMAGE_TYPE_JPEG: (".jpeg", images.encode_jpeg),
}


class CustomNodeClient:
    """Connects and shakes hands; `send(picture)` then asks the node about one frame, one at a time.

    timeout: seconds for each call, None for no end.
    tls: True, or the file of the certificate authority. token: sent as `authorization: Bearer <token>`.
    Raises grpc.RpcError where the node cannot be reached, Exception with the reason where it answers wrongly.
    """

    def __init__(
        self,
        endpoint_url,
        instance_id="",
        skill_id="",
        device_id="",
        *,
        timeout=None,
        max_message_bytes=MAX_MESSAGE_BYTES,
        tls=None,
        token=None,
    ):
        options = [("grpc.max_receive_message_length", max_message_bytes), ("grpc.max_send_message_length", -1)]
        if tls:
            authority = None
            if tls is not True:
                with open(tls, "rb") as file:
                    authority = file.read()
            self.channel = grpc.secure_channel(endpoint_url, grpc.ssl_channel_credentials(authority), options)
        else:
            self.channel = grpc.insecure_channel(endpoint_url, options)
        self.stub = custom_node_pb2_grpc.CustomNodeHandlerStub(self.channel)
        self._call = {"timeout": timeout, "metadata": [("authorization", f"Bearer {token}")] if token else None}
        self._frame = 0
        self.seq = 1
        try:
            self.handshake = self.stub.Handshake(
                pb.HandshakeRequest(seq=self.seq, instance_id=instance_id, skill_id=skill_id, device_id=device_id),
                **self._call,
            )
            self._expect(self.handshake.ack)
            if self.handshake.image_type not in _ENCODINGS:
                raise Exception(f"Unknown Image Type {self.handshake.image_type}")
        except BaseException:
            self.close()
            raise
        self.image_type, self._encode = _ENCODINGS[self.handshake.image_type]

    def send(self, frame, insights_meta=None, roi=None):
        """Sends an array of height x width x 3 bytes (BGR), or an object that holds one as `.image.image_pointer`.

        Returns the ProcessResponse.
        """
        picture = images.check_array(frame if hasattr(frame, "dtype") else frame.image.image_pointer)
        height, width, _ = picture.shape
        without = self.handshake.process_request_type == pb.FRAME_WITHOUT_IMAGE
        now = time.time_ns()
        message = pb.ProcessRequest(
            seq=self.seq,
            frame=pb.Frame(
                image=pb.Image(
                    image_pointer=b"" if without else self._encode(picture),
                    properties=pb.ImageProperties(width=width, height=height, color_format=pb.COLOR_FORMAT_BGR),
                ),
                insights_meta=insights_meta,
                timestamp=pb.Timestamp(seconds=now // 1_000_000_000, nanos=now % 1_000_000_000),
                frame_id=str(self._frame),
                roi=roi,
                datetime=datetime.datetime.fromtimestamp(now / 1e9, datetime.timezone.utc).isoformat(),
            ),
        )
        response = self.stub.Process(message, **self._call)
        self._expect(response.ack)
        self._frame += 1
        return response

    def picture(self, response):
        """The picture of a response as an array, None where it has none."""
        image = response.image
        if not image.image_pointer:
            return None
        if self.handshake.image_type == pb.IMAGE_TYPE_NUMPY:
            return images.decode_raw(image.image_pointer, image.properties.height, image.properties.width)
        decode = images.decode_bmp if self.handshake.image_type == pb.IMAGE_TYPE_BMP else images.decode_jpeg
        return decode(image.image_pointer)

    def close(self):
        self.channel.close()

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        self.close()

    def _expect(self, ack):
        if ack != self.seq:
            raise Exception(f"Incorrect Ack, expect {self.seq} but got {ack}")
        self.seq += 1

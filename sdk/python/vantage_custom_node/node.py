"""The base class of custom nodes."""

import hmac
import logging
import time

import grpc

from . import custom_node_pb2 as pb
from .frame import ANSWERS, IMAGE_TYPES, Frame, NodeDescription, write_answer


class CustomNode:
    """A node that processes frames.

    Override `describe` and `process`; or, as in the public sample, `Handshake` and `Process`, which see the messages as
    they are. Calls come from several threads at once when several clients are connected.
    """

    _description = None

    def describe(self):
        """What the node wants and gives. Asked at each handshake."""
        return NodeDescription()

    def process(self, frame: Frame):
        """Looks at one frame; returns an `Answer`, a list of `DetectedObject`, a picture, or None.

        What it raises is told to the caller, whose frame then goes on without results. The server stays up.
        """
        raise NotImplementedError(f"{type(self).__name__} has neither process(frame) nor Process(request, context)")

    def start(self):
        """Called once before the first frame: load models here, not in `process`."""

    def stop(self):
        """Called once after the last frame."""

    def Handshake(self, request, context):
        description = self._description = self.describe()
        return pb.HandshakeResponse(
            ack=request.seq,
            image_type=IMAGE_TYPES[description.wire_image],
            process_request_type=pb.FRAME_WITHOUT_IMAGE if description.image == "none" else pb.FRAME_WITH_IMAGE,
            process_response_type=ANSWERS[description.response],
        )

    def Process(self, request, context):
        # The protocol does not make a client shake hands first.
        description = self._description or self.describe()
        frame = Frame(request, description.wire_image, getattr(context, "shared_picture", None))
        return write_answer(self.process(frame), frame, description)


_LOGGER = logging.getLogger("vantage_custom_node")
# The same error on every frame of a camera is worth one traceback in this many seconds.
_LOG_AGAIN = 10.0
_STATUS = {code.value[0]: code for code in grpc.StatusCode}


def guarded(method):
    """A handler that answers whatever user code does.

    gRPC catches `Exception` alone: after sys.exit() the call would hang. An exception with an attribute `grpc_code`, a
    number such as 14, becomes that status instead of UNKNOWN.
    """

    def call(request, context):
        try:
            return method(request, context)
        except Exception as error:
            _log(error)
            code = _STATUS.get(getattr(error, "grpc_code", None))
            if code is None or code is grpc.StatusCode.OK:
                raise
            context.abort(code, str(error))
        except (SystemExit, KeyboardInterrupt) as error:
            _log(error)
            raise RuntimeError(f"the node called exit ({error})") from error

    return call


_last_logged = ("", 0.0)


def _log(error):
    """gRPC logs to nowhere unless logging was set up; a developer wants to see the line that failed."""
    global _last_logged
    text, now = repr(error), time.monotonic()
    if text == _last_logged[0] and now - _last_logged[1] < _LOG_AGAIN:
        return
    _last_logged = (text, now)
    _LOGGER.error("a frame failed: %s", error, exc_info=True)


def bearer_check(token):
    """An interceptor that refuses calls without the token."""
    expected = f"Bearer {token}"

    def refuse(request, context):
        context.abort(grpc.StatusCode.UNAUTHENTICATED, "this node wants a token: send metadata authorization: Bearer <token>")

    refusal = grpc.unary_unary_rpc_method_handler(refuse)

    class BearerCheck(grpc.ServerInterceptor):
        def intercept_service(self, continuation, details):
            sent = [str(value) for key, value in details.invocation_metadata if key.lower() == "authorization"]
            if any(hmac.compare_digest(one.encode(), expected.encode()) for one in sent):
                return continuation(details)
            return refusal

    return BearerCheck()

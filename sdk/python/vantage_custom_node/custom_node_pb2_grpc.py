"""Stub and registration of the service, under the names grpcio-tools would give them."""

import grpc

from . import custom_node_pb2 as pb

SERVICE = "custom_node.CustomNodeHandler"


class CustomNodeHandlerStub:
    """Calls a custom node through a channel."""

    def __init__(self, channel):
        self.Handshake = channel.unary_unary(
            f"/{SERVICE}/Handshake",
            request_serializer=pb.HandshakeRequest.SerializeToString,
            response_deserializer=pb.HandshakeResponse.FromString,
        )
        self.Process = channel.unary_unary(
            f"/{SERVICE}/Process",
            request_serializer=pb.ProcessRequest.SerializeToString,
            response_deserializer=pb.ProcessResponse.FromString,
        )


class CustomNodeHandlerServicer:
    """What a server of one's own implements; `CustomNode` is more comfortable."""

    def Handshake(self, request, context):
        context.abort(grpc.StatusCode.UNIMPLEMENTED, "Handshake is not implemented")

    def Process(self, request, context):
        context.abort(grpc.StatusCode.UNIMPLEMENTED, "Process is not implemented")


def add_CustomNodeHandlerServicer_to_server(servicer, server):
    handlers = {
        "Handshake": grpc.unary_unary_rpc_method_handler(
            servicer.Handshake,
            request_deserializer=pb.HandshakeRequest.FromString,
            response_serializer=pb.HandshakeResponse.SerializeToString,
        ),
        "Process": grpc.unary_unary_rpc_method_handler(
            servicer.Process,
            request_deserializer=pb.ProcessRequest.FromString,
            response_serializer=pb.ProcessResponse.SerializeToString,
        ),
    }
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, handlers),))

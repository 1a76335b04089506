"""A node that overrides Process and reads the message itself; messages up to 4 MiB, pictures also through shared memory."""

from vantage_custom_node import CustomNode, CustomNodeServer
from vantage_custom_node import custom_node_pb2 as pb


class MessageNode(CustomNode):
    def Handshake(self, request, context):
        return pb.HandshakeResponse(ack=request.seq, process_response_type=pb.INSIGHTS_META_ONLY)

    def Process(self, request, context):
        label = str(len(request.frame.image.image_pointer))
        found = pb.ObjectMeta(label=label, confidence=1)
        return pb.ProcessResponse(ack=request.seq, insights_meta=pb.InsightsMeta(objects_meta=[found]))


CustomNodeServer(0, MessageNode(), max_message_bytes=4_194_304).serve()

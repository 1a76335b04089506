"""Custom nodes for Vantage, and for any pipeline that speaks the custom node protocol of KAN / Symphony."""

from . import custom_node_pb2, custom_node_pb2_grpc
from .client import CustomNodeClient
from .frame import Answer, Attribute, DetectedObject, Event, Frame, NodeDescription, Roi
from .images import ImageError
from .node import CustomNode
from .server import CustomNodeServer

__version__ = "0.1.0"
__all__ = [
    "Answer",
    "Attribute",
    "CustomNode",
    "CustomNodeClient",
    "CustomNodeServer",
    "DetectedObject",
    "Event",
    "Frame",
    "ImageError",
    "NodeDescription",
    "Roi",
    "custom_node_pb2",
    "custom_node_pb2_grpc",
]

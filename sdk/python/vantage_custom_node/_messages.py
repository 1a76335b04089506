"""Message classes made from descriptors at import, in a pool of our own.

A pool of our own lets the classes live in one process with anyone's generated `custom_node_pb2`, whose file has the
same name: in the shared pool the second of the two would be refused.
"""

import base64

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.internal.enum_type_wrapper import EnumTypeWrapper


class MessageFile:
    """Classes and enums of one .proto file."""

    def __init__(self, file_proto):
        pool = descriptor_pool.DescriptorPool()
        pool.AddSerializedFile(file_proto.SerializeToString())
        file = pool.FindFileByName(file_proto.name)
        self.messages = {name: _message_class(pool, descriptor) for name, descriptor in file.message_types_by_name.items()}
        self.enums = {name: EnumTypeWrapper(descriptor) for name, descriptor in file.enum_types_by_name.items()}
        self.enum_values = {
            value.name: value.number for descriptor in file.enum_types_by_name.values() for value in descriptor.values
        }


def _message_class(pool, descriptor):
    # GetPrototype went away in protobuf 5, GetMessageClass came with 4.22.
    if hasattr(message_factory, "GetMessageClass"):
        return message_factory.GetMessageClass(descriptor)
    return message_factory.MessageFactory(pool).GetPrototype(descriptor)


def from_base64(text):
    proto = descriptor_pb2.FileDescriptorProto()
    proto.ParseFromString(base64.b64decode(text))
    return MessageFile(proto)


def health_messages():
    """The two messages of grpc.health.v1 (https://github.com/grpc/grpc/blob/master/doc/health-checking.md)."""
    field = descriptor_pb2.FieldDescriptorProto
    proto = descriptor_pb2.FileDescriptorProto(
        name="vantage/health.proto", package="grpc.health.v1", syntax="proto3"
    )
    request = proto.message_type.add(name="HealthCheckRequest")
    request.field.add(name="service", number=1, type=field.TYPE_STRING, label=field.LABEL_OPTIONAL)
    response = proto.message_type.add(name="HealthCheckResponse")
    status = response.enum_type.add(name="ServingStatus")
    for number, name in enumerate(("UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN")):
        status.value.add(name=name, number=number)
    response.field.add(
        name="status",
        number=1,
        type=field.TYPE_ENUM,
        label=field.LABEL_OPTIONAL,
        type_name=".grpc.health.v1.HealthCheckResponse.ServingStatus",
    )
    return MessageFile(proto)

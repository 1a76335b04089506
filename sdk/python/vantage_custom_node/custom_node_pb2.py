"""The messages of the custom node protocol, under the names protoc would give them."""

from ._descriptor import CUSTOM_NODE
from ._messages import from_base64

_file = from_base64(CUSTOM_NODE)
globals().update(_file.messages)
globals().update(_file.enums)
globals().update(_file.enum_values)
__all__ = [*_file.messages, *_file.enums, *_file.enum_values]

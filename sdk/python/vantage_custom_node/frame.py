"""What a node sees and what it answers."""

import json
import math
from dataclasses import dataclass, field
from typing import Any, Dict, Optional, Sequence, Tuple

from . import custom_node_pb2 as pb
from . import images

IMAGE_TYPES = {"numpy": pb.IMAGE_TYPE_NUMPY, "bmp": pb.IMAGE_TYPE_BMP, "jpeg": pb.IMAGE_TYPE_JPEG}
ANSWERS = {
    "image": pb.IMAGE_ONLY,
    "insights": pb.INSIGHTS_META_ONLY,
    "image_and_insights": pb.IMAGE_AND_INSIGHTS_META,
    "empty": pb.EMPTY,
}


@dataclass(frozen=True)
class NodeDescription:
    """What a node wants and gives, fixed at the handshake.

    image: how pictures come: 'numpy' (raw, fastest), 'bmp', 'jpeg' (smallest) or 'none' (insights alone).
    response: 'insights', 'image', 'image_and_insights' or 'empty'.
    answer_image: encoding of pictures that are answered where image is 'none'; else they have the one of `image`.
    """

    image: str = "numpy"
    response: str = "insights"
    answer_image: str = "numpy"

    def __post_init__(self):
        if self.image != "none" and self.image not in IMAGE_TYPES:
            raise ValueError(f"image is 'numpy', 'bmp', 'jpeg' or 'none', not {self.image!r}")
        if self.response not in ANSWERS:
            raise ValueError(f"response is 'insights', 'image', 'image_and_insights' or 'empty', not {self.response!r}")
        if self.answer_image not in IMAGE_TYPES:
            raise ValueError(f"answer_image is 'numpy', 'bmp' or 'jpeg', not {self.answer_image!r}")

    @property
    def wire_image(self):
        """The encoding that both directions have."""
        return self.answer_image if self.image == "none" else self.image


@dataclass
class Attribute:
    """A trait of an object, such as name 'colour', label 'red'. confidence: 0..1."""

    name: str
    label: str
    confidence: float = 1.0


@dataclass
class DetectedObject:
    """box: left, top, width, height as fractions 0..1 of the frame, origin top left; None for the whole frame.

    time: seconds since 1970, 0 where unknown. In answers None stands for the time of the frame.
    """

    label: str
    confidence: float
    box: Optional[Tuple[float, float, float, float]] = None
    attributes: Sequence[Attribute] = ()
    inference_id: str = ""
    tracking_id: str = ""
    speed: float = 0.0
    direction: Optional[Tuple[float, float]] = None
    time: Optional[float] = None


@dataclass
class Event:
    """Something that happened. related_ids: inference_id of the objects it is about."""

    type: str
    id: str = ""
    related_ids: Sequence[str] = ()
    properties: Dict[str, str] = field(default_factory=dict)
    time: Optional[float] = None


@dataclass
class Answer:
    """What `process` returns. image: an array of height x width x 3 bytes in the colour order of the frame."""

    image: Any = None
    objects: Sequence[DetectedObject] = ()
    events: Sequence[Event] = ()
    other: Dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Roi:
    """A region of the camera. type: 'line' or 'polygon'; points: its corners where its value is JSON, else None."""

    name: str
    type: str
    id: str
    value: str

    @property
    def points(self):
        try:
            return json.loads(self.value)
        except ValueError:
            return None


class Frame:
    """One frame of one camera. What costs time, pixels above all, is made when it is first asked for."""

    def __init__(self, request, image_type="numpy", shared=None):
        frame = request.frame
        self._data = frame.image.image_pointer if shared is None else shared
        self.message = frame
        self.seq = request.seq
        self.frame_id = frame.frame_id
        self.datetime = frame.datetime
        self.time = _seconds(frame.timestamp)
        self.width = frame.image.properties.width
        self.height = frame.image.properties.height
        raw_rgb = image_type == "numpy" and frame.image.properties.color_format == pb.COLOR_FORMAT_RGB
        self.color_format = "RGB" if raw_rgb else "BGR"
        self._image_type = image_type
        self._view = None
        self._pixels = None
        self._objects = None

    @property
    def image_bytes(self):
        """The picture as it came, in the encoding that `describe` asked for; empty without one."""
        return bytes(self._data)

    @property
    def view(self):
        """Pixels, height x width x 3 bytes, not to be written to: the fastest way to look at them. None without a picture.

        It may lie in shared memory: good until `process` returns.
        """
        if self._view is None:
            if not self._data:
                return None
            if self._image_type == "bmp":
                self._view = images.decode_bmp(self.image_bytes)
            elif self._image_type == "jpeg":
                self._view = images.decode_jpeg(self.image_bytes)
            else:
                self._view = images.decode_raw(self._data, self.height, self.width)
        return self._view

    @property
    def pixels(self):
        """The same as an array of one's own, to draw on. None without a picture."""
        if self._pixels is None and self.view is not None:
            self._pixels = self.view.copy()
        return self._pixels

    @property
    def objects(self):
        """What nodes upstream found."""
        if self._objects is None:
            self._objects = [_read_object(one) for one in self.message.insights_meta.objects_meta]
        return self._objects

    @property
    def events(self):
        return [
            Event(one.type, one.event_id, list(one.related_ids), dict(one.properties), _seconds(one.timestamp))
            for one in self.message.insights_meta.events_meta
        ]

    @property
    def other(self):
        return dict(self.message.insights_meta.other_meta)

    @property
    def roi(self):
        if not self.message.HasField("roi"):
            return None
        roi = self.message.roi
        return Roi(roi.name, "polygon" if roi.type == pb.POLYGON else "line", roi.id, roi.value)


def _seconds(timestamp):
    return timestamp.seconds + timestamp.nanos / 1e9


def _read_object(one):
    tracking = one.tracking_info if one.HasField("tracking_info") else None
    direction = tracking.direction if tracking is not None and tracking.HasField("direction") else None
    return DetectedObject(
        label=one.label,
        confidence=one.confidence,
        box=(one.bbox.l, one.bbox.t, one.bbox.w, one.bbox.h) if one.HasField("bbox") else None,
        attributes=[Attribute(a.name, a.label, a.confidence) for a in one.attributes],
        inference_id=one.inference_id,
        tracking_id=tracking.tracking_id if tracking is not None else "",
        speed=tracking.speed if tracking is not None else 0.0,
        direction=(direction.x, direction.y) if direction is not None else None,
        time=_seconds(one.timestamp),
    )


def write_answer(answer, frame, description):
    """The message of an answer.

    Raises ValueError with the reason where it cannot be sent as it is; the frame then counts as failed.
    """
    answer = _as_answer(answer)
    message = pb.ProcessResponse(ack=frame.seq)
    with_image = description.response in ("image", "image_and_insights")
    if answer.image is not None and not with_image:
        raise ValueError(f"describe() promised response={description.response!r}, but process() answered a picture")
    if with_image and answer.image is not None:
        _write_image(message.image, answer.image, frame, description)
    if description.response in ("insights", "image_and_insights"):
        _write_insights(message.insights_meta, answer, frame)
    elif answer.objects or answer.events or answer.other:
        raise ValueError(f"describe() promised response={description.response!r}, but process() answered insights")
    return message


def _as_answer(answer):
    if answer is None:
        return Answer()
    if isinstance(answer, Answer):
        return answer
    if isinstance(answer, (list, tuple)):
        return Answer(objects=answer)
    if hasattr(answer, "dtype"):
        return Answer(image=answer)
    raise ValueError(f"process() returns an Answer, a list of objects, a picture or None, not {type(answer).__name__}")


def _write_image(target, array, frame, description):
    array = images.check_array(array)
    encode = {"bmp": images.encode_bmp, "jpeg": images.encode_jpeg}.get(description.wire_image, images.encode_raw)
    target.image_pointer = encode(array)
    target.properties.height, target.properties.width = array.shape[:2]
    rgb = frame.color_format == "RGB" and encode is images.encode_raw
    target.properties.color_format = pb.COLOR_FORMAT_RGB if rgb else pb.COLOR_FORMAT_BGR


def _write_insights(target, answer, frame):
    target.SetInParent()
    for at, one in enumerate(answer.objects):
        where = f"objects[{at}]"
        if not isinstance(one, DetectedObject):
            raise ValueError(f"{where} is a DetectedObject, not {type(one).__name__}")
        item = target.objects_meta.add(
            label=one.label, confidence=_number(one.confidence, f"{where}.confidence"), inference_id=one.inference_id
        )
        _write_time(item.timestamp, one.time, frame)
        if one.box is not None:
            left, top, width, height = (_number(value, f"{where}.box") for value in one.box)
            item.bbox.l, item.bbox.t, item.bbox.w, item.bbox.h = left, top, width, height
        for trait in one.attributes:
            attribute = item.attributes.add(
                name=trait.name,
                label=trait.label,
                confidence=_number(trait.confidence, f"{where}.attributes.{trait.name}.confidence"),
                inference_id=one.inference_id,
            )
            _write_time(attribute.timestamp, one.time, frame)
        if one.tracking_id or one.speed or one.direction:
            item.tracking_info.tracking_id = str(one.tracking_id)
            item.tracking_info.speed = _number(one.speed, f"{where}.speed")
            _write_time(item.tracking_info.timestamp, one.time, frame)
            if one.direction is not None:
                item.tracking_info.direction.x, item.tracking_info.direction.y = one.direction
    for event in answer.events:
        item = target.events_meta.add(type=event.type, event_id=event.id, related_ids=list(event.related_ids))
        item.properties.update({name: str(value) for name, value in event.properties.items()})
        _write_time(item.timestamp, event.time, frame)
    target.other_meta.update({name: str(value) for name, value in answer.other.items()})


def _write_time(target, time, frame):
    if time is None:
        target.CopyFrom(frame.message.timestamp)
        return
    nanos = round(time * 1e9)
    target.seconds, target.nanos = divmod(nanos, 1_000_000_000)


def _number(value, where):
    value = float(value)
    if not math.isfinite(value):
        raise ValueError(f"{where} is {value}, not a number that can be sent")
    return value

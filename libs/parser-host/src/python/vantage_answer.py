"""What a parser has answered, checked and as plain numbers and JSON."""

import json
import math

MAX_SHAPES = 4096
MAX_MESSAGE_BYTES = 256 * 1024
MAX_DEPTH = 32


class Unusable(Exception):
    """The parser answered, but not what the API asks for."""


def unpack(result, count, function, names):
    if not isinstance(result, (tuple, list)) or len(result) != count:
        what = "%d values" % len(result) if isinstance(result, (tuple, list)) else type(result).__name__
        raise Unusable("%s must return %s, it returned %s" % (function, names, what))
    return result


def numbers(numpy, value, name):
    try:
        return numpy.asarray(value, dtype=numpy.float64)
    except MemoryError:
        raise
    except Exception as error:
        raise Unusable("%s cannot be read as numbers: %s" % (name, error))


def put_message(answer, message, only_truthy):
    if message is None:
        return
    if only_truthy and not (len(message) > 0 if hasattr(message, "shape") and message.shape else message):
        return
    problems = set()
    try:
        plain = to_json(message, 0, problems)
        text = json.dumps(plain, allow_nan=False)
    except (Unusable, ValueError, RecursionError) as error:
        answer["problems"].append("the message is left out: %s" % error)
        return
    if len(text) > MAX_MESSAGE_BYTES:
        size = (len(text), MAX_MESSAGE_BYTES)
        answer["problems"].append("the message is left out: %d bytes, more than %d" % size)
        return
    answer["problems"].extend(sorted(problems))
    answer["message"] = plain


def to_json(value, depth, problems):
    if depth > MAX_DEPTH:
        raise Unusable("it is nested deeper than %d" % MAX_DEPTH)
    if hasattr(value, "tolist") and hasattr(value, "dtype"):
        value = value.tolist()
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        if math.isfinite(value):
            return float(value)
        problems.add("NaN or infinity in the message became null")
        return None
    if isinstance(value, dict):
        return {str(key): to_json(item, depth + 1, problems) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [to_json(item, depth + 1, problems) for item in value]
    raise Unusable("JSON cannot say a value of type %s" % type(value).__name__)


def attributes_of(item):
    found = []
    for classifier in item.classifiers:
        for label in classifier.labels:
            found.append(
                {
                    "name": str(classifier.classifier_type),
                    "label": str(label.result_label),
                    "classId": int(label.result_class_id),
                    "confidence": finite(label.result_prob),
                    "componentId": int(classifier.unique_component_id),
                }
            )
    return found


def overlay(displays, problems):
    """Lines (arrows among them), circles, rectangles and texts of the display metas."""
    lines, circles, rectangles, texts = [], [], [], []
    room = MAX_SHAPES
    for meta in displays:
        for number, params in (
            (meta.num_lines, meta.line_params),
            (meta.num_arrows, meta.arrow_params),
            (meta.num_circles, meta.circle_params),
            (meta.num_rects, meta.rect_params),
            (meta.num_labels, meta.text_params),
        ):
            for shape in params[: max(0, int(number))]:
                room -= 1
                if room < 0:
                    break
                if hasattr(shape, "x1"):
                    is_line = hasattr(shape, "line_width")
                    line = {name: finite(getattr(shape, name)) for name in ("x1", "y1", "x2", "y2")}
                    line["width"] = finite(shape.line_width if is_line else shape.arrow_width)
                    line["colour"] = colour(shape.line_color if is_line else shape.arrow_color)
                    lines.append(line)
                elif hasattr(shape, "xc"):
                    circles.append(
                        {
                            "x": finite(shape.xc),
                            "y": finite(shape.yc),
                            "radius": finite(shape.radius),
                            "colour": colour(shape.circle_color),
                        }
                    )
                elif hasattr(shape, "left"):
                    box = {name: finite(getattr(shape, name)) for name in ("left", "top", "width", "height")}
                    width = finite(shape.border_width)
                    rectangles.append({"box": box, "width": width, "colour": colour(shape.border_color)})
                else:
                    texts.append(
                        {
                            "x": finite(shape.x_offset),
                            "y": finite(shape.y_offset),
                            "text": str(shape.display_text or "")[:1024],
                            "size": finite(shape.font_params.font_size),
                            "colour": colour(shape.font_params.font_color),
                        }
                    )
    if room < 0:
        problems.append("only the first %d shapes of the display metas are kept" % MAX_SHAPES)
    return {"lines": lines, "circles": circles, "rectangles": rectangles, "texts": texts}


def colour(params):
    return [finite(params.red), finite(params.green), finite(params.blue), finite(params.alpha)]


def finite(value):
    number = float(value)
    if not math.isfinite(number):
        raise Unusable("add_custom_to_meta set a coordinate that is NaN or infinite")
    return number

"""Pictures on the wire: numpy, BMP and JPEG to arrays of height x width x 3 bytes, and back.

BMP is read and written here. JPEG needs OpenCV or Pillow, whichever is installed.
"""

import struct

MAX_SIDE = 32_768
_BMP_HEADER = struct.Struct("<2sIHHIIiiHHIIiiII")


class ImageError(ValueError):
    """A picture that is not what its message says, or that cannot be written."""


def _numpy():
    try:
        import numpy
    except ImportError as error:
        raise ImageError("pixels need numpy: pip install numpy (or apt-get install python3-numpy)") from error
    return numpy


def decode_raw(data, height, width):
    """A read-only array on the bytes themselves; nothing is copied."""
    if not (0 < height <= MAX_SIDE and 0 < width <= MAX_SIDE):
        raise ImageError(f"a picture of {width} x {height} is not possible: both sides must be 1..{MAX_SIDE}")
    expected = height * width * 3
    if len(data) != expected:
        raise ImageError(f"a picture of {width} x {height} needs {expected} bytes, {len(data)} came")
    return _numpy().frombuffer(data, dtype="uint8").reshape(height, width, 3)


def encode_raw(array):
    return check_array(array).tobytes()


def decode_bmp(data):
    """24-bit, not compressed, rows in either order: what OpenCV and this module write."""
    numpy = _numpy()
    if len(data) < 54 or bytes(data[:2]) != b"BM":
        raise ImageError(f"not a BMP file ({len(data)} bytes)")
    offset, header, width, rows, _planes, bits, compression = struct.unpack_from("<IIiiHHI", data, 10)
    if header < 40 or bits != 24 or compression != 0:
        raise ImageError(f"a BMP file of {bits} bits with compression {compression}; only 24 bits without are read")
    height = abs(rows)
    if not (0 < height <= MAX_SIDE and 0 < width <= MAX_SIDE):
        raise ImageError(f"a BMP file of {width} x {height}: both sides must be 1..{MAX_SIDE}")
    stride = (width * 3 + 3) // 4 * 4
    if offset < 54 or offset + stride * height > len(data):
        raise ImageError(f"a BMP file of {width} x {height} that ends after {len(data)} bytes")
    pixels = numpy.frombuffer(data, dtype="uint8", count=stride * height, offset=offset).reshape(height, stride)
    pixels = pixels[:, : width * 3].reshape(height, width, 3)
    return pixels[::-1] if rows > 0 else pixels


def encode_bmp(array):
    """As OpenCV writes it: bottom row first, rows padded to four bytes, pixels at offset 54."""
    numpy = _numpy()
    array = check_array(array)
    height, width, _ = array.shape
    stride = (width * 3 + 3) // 4 * 4
    rows = numpy.zeros((height, stride), dtype="uint8")
    rows[:, : width * 3] = array[::-1].reshape(height, width * 3)
    size = 54 + stride * height
    header = _BMP_HEADER.pack(b"BM", size, 0, 0, 54, 40, width, height, 1, 24, 0, stride * height, 0, 0, 0, 0)
    return header + rows.tobytes()


def decode_jpeg(data):
    """To BGR."""
    numpy = _numpy()
    cv2, pil = _jpeg_library()
    if cv2:
        array = cv2.imdecode(numpy.frombuffer(data, dtype="uint8"), cv2.IMREAD_COLOR)
        if array is None:
            raise ImageError(f"not a JPEG file ({len(data)} bytes)")
        return array
    import io

    try:
        array = numpy.asarray(pil.open(io.BytesIO(data), formats=("JPEG",)).convert("RGB"))
    except Exception as error:  # Pillow raises many kinds for a broken file
        raise ImageError(f"not a JPEG file ({len(data)} bytes): {error}") from error
    return array[:, :, ::-1]


def encode_jpeg(array, quality=95):
    """Of BGR."""
    array = check_array(array)
    cv2, pil = _jpeg_library()
    if cv2:
        done, data = cv2.imencode(".jpg", _numpy().ascontiguousarray(array), [cv2.IMWRITE_JPEG_QUALITY, quality])
        if not done:
            raise ImageError("OpenCV could not write the picture as JPEG")
        return data.tobytes()
    import io

    out = io.BytesIO()
    pil.fromarray(_numpy().ascontiguousarray(array[:, :, ::-1])).save(out, "JPEG", quality=quality)
    return out.getvalue()


def _jpeg_library():
    try:
        import cv2

        return cv2, None
    except ImportError:
        pass
    try:
        from PIL import Image

        return None, Image
    except ImportError:
        raise ImageError(
            "JPEG needs OpenCV or Pillow: pip install opencv-python-headless, or pip install pillow "
            "(apt-get install python3-pil); image='numpy' and image='bmp' need neither"
        ) from None


def check_array(array):
    """The array as height x width x 3 bytes; a single channel is repeated."""
    numpy = _numpy()
    if not isinstance(array, numpy.ndarray):
        raise ImageError(f"a picture is a numpy array, not {type(array).__name__}")
    if array.dtype != numpy.uint8:
        raise ImageError(f"a picture has dtype uint8, not {array.dtype}: convert with .astype('uint8')")
    if array.ndim == 2:
        array = numpy.repeat(array[:, :, None], 3, axis=2)
    if array.ndim != 3 or array.shape[2] != 3 or 0 in array.shape or max(array.shape) > MAX_SIDE:
        raise ImageError(f"a picture is height x width x 3, not {' x '.join(map(str, array.shape))}")
    return array

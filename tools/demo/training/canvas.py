"""A camera over a flat street and a canvas that keeps exact boxes of what is drawn on it.

Coordinates: ground X to the right and Z away from the camera in metres, height h in metres; image units are pixels of the
finished picture (960 x 540), whatever the resolution it is rendered at.
"""

from dataclasses import dataclass

import cv2
import numpy as np

WIDTH, HEIGHT = 960, 540
SHIFT = 4
ONE = 1 << SHIFT


@dataclass(frozen=True)
class Camera:
    """A level pin-hole camera: rows below the horizon are ground."""

    horizon: float = 112.0
    height_m: float = 4.5
    focal: float = 900.0
    centre_x: float = 480.0

    def scale(self, z):
        return self.focal / np.maximum(z, 0.5)

    def project(self, x, z, h=0.0):
        s = self.scale(z)
        return np.stack([self.centre_x + x * s, self.horizon + (self.height_m - h) * s], axis=-1)

    def depth_at(self, row):
        return self.focal * self.height_m / (row - self.horizon)


def shade(colour, factor):
    return tuple(float(np.clip(c * factor, 0, 255)) for c in colour)


def mix(a, b, t):
    return tuple(float(x * (1 - t) + y * t) for x, y in zip(a, b))


class Canvas:
    """Draws anti-aliased polygons in colour and, beside it, the number of the object each pixel belongs to."""

    def __init__(self, background, resolution, camera):
        self.image = background
        self.k = resolution
        self.camera = camera
        self.ids = np.zeros((HEIGHT, WIDTH), np.uint8)
        self.object_id = 0
        self.extent = None

    def begin(self, object_id):
        self.object_id = object_id
        self.extent = [1e9, 1e9, -1e9, -1e9]

    def end(self):
        """Ends an object; gives its full box and the pixels it covers when nothing stands before it."""
        x0, y0, x1, y1 = self.extent
        area = int((self.ids == self.object_id).sum()) if self.object_id else 0
        self.object_id = 0
        return (x0, y0, x1, y1), area

    def _mark(self, points, radius=0.0):
        if not self.object_id:
            return
        low, high = points.min(axis=0) - radius, points.max(axis=0) + radius
        e = self.extent
        self.extent = [min(e[0], low[0]), min(e[1], low[1]), max(e[2], high[0]), max(e[3], high[1])]

    def polygon(self, points, colour):
        points = np.asarray(points, np.float64)
        cv2.fillPoly(self.image, [np.round(points * self.k * ONE).astype(np.int32)], colour, cv2.LINE_AA, SHIFT)
        if self.object_id:
            cv2.fillPoly(self.ids, [np.round(points * ONE).astype(np.int32)], self.object_id, cv2.LINE_8, SHIFT)
            self._mark(points)

    def line(self, points, colour, width, closed=False):
        points = np.asarray(points, np.float64)
        thick = max(1, int(round(width * self.k)))
        fixed = [np.round(points * self.k * ONE).astype(np.int32)]
        cv2.polylines(self.image, fixed, closed, colour, thick, cv2.LINE_AA, SHIFT)
        if self.object_id:
            thin = max(1, int(round(width)))
            cv2.polylines(self.ids, [np.round(points * ONE).astype(np.int32)], closed, self.object_id, thin, cv2.LINE_8, SHIFT)
            self._mark(points, width / 2)

    def capsule(self, p, q, r0, r1, colour):
        self.polygon(capsule(p, q, r0, r1), colour)

    def disc(self, centre, radius, colour, stretch=1.0):
        a = np.linspace(0, 2 * np.pi, 20, endpoint=False)
        centre = np.asarray(centre, np.float64)
        self.polygon(centre + np.stack([np.cos(a) * radius, np.sin(a) * radius * stretch], axis=-1), colour)

    def quad3(self, corners, colour):
        c = np.asarray(corners, np.float64)
        self.polygon(self.camera.project(c[:, 0], c[:, 1], c[:, 2]), colour)


def capsule(p, q, r0, r1, steps=7):
    """The outline of a limb: two half circles of their own radius, joined."""
    p, q = np.asarray(p, np.float64), np.asarray(q, np.float64)
    along = q - p
    angle = np.arctan2(along[1], along[0]) if np.any(along) else 0.0
    a = angle + np.linspace(np.pi / 2, 3 * np.pi / 2, steps)
    b = angle + np.linspace(-np.pi / 2, np.pi / 2, steps)
    return np.concatenate(
        [p + r0 * np.stack([np.cos(a), np.sin(a)], axis=-1), q + r1 * np.stack([np.cos(b), np.sin(b)], axis=-1)]
    )


class ShadowCanvas:
    """Takes the same limbs as flat shapes on the ground: every point falls along the sunlight."""

    def __init__(self, camera, sun, resolution=0.5):
        self.mask = np.zeros((int(HEIGHT * resolution), int(WIDTH * resolution)), np.uint8)
        self.camera, self.sun, self.k = camera, sun, resolution

    def ground(self, x, z, h):
        return self.camera.project(x + h * self.sun[0], np.maximum(z + h * self.sun[1], 2.0), 0.0)

    def polygon(self, points):
        cv2.fillPoly(self.mask, [np.round(np.asarray(points) * self.k * ONE).astype(np.int32)], 255, cv2.LINE_AA, SHIFT)

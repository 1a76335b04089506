"""A scene: a street, what stands in it and who moves through it; renders a moment of it with exact boxes."""

from dataclasses import dataclass, field

import cv2
import numpy as np

from canvas import HEIGHT, WIDTH, Canvas, ShadowCanvas
from street import Backdrop, Layout, blend_shadow

CLASSES = ['person', 'bicycle', 'car']


class Path:
    """Where an actor is: way points (seconds, X, Z) joined smoothly; it exists from the first to the last of them."""

    def __init__(self, points):
        p = np.array(points, np.float64)
        self.t, self.p = p[:, 0], p[:, 1:]
        slope = np.diff(self.p, axis=0) / np.diff(self.t)[:, None]
        tangent = np.concatenate([slope[:1], (slope[1:] + slope[:-1]) / 2, slope[-1:]])
        same = np.concatenate([[True], (np.abs(slope[1:]).sum(1) > 1e-6) & (np.abs(slope[:-1]).sum(1) > 1e-6), [True]])
        self.m = tangent * same[:, None]
        grid = np.arange(self.t[0], self.t[-1] + 0.02, 0.02)
        way = np.array([self._at(t) for t in grid])
        steps = np.hypot(*np.diff(way, axis=0).T)
        self.grid, self.length = grid, np.concatenate([[0], np.cumsum(steps)])
        # Heading turns over about half a second, as a body does, not at a point.
        d = np.diff(way, axis=0) / np.maximum(steps, 1e-5)[:, None]
        d[steps < 1e-4] = np.nan
        for i in range(len(d)):
            if np.isnan(d[i, 0]):
                d[i] = d[i - 1] if i else slope[0] / (np.hypot(*slope[0]) + 1e-9)
        kernel = np.ones(21) / 21
        d = np.stack([np.convolve(np.pad(d[:, i], 10, mode='edge'), kernel, 'valid') for i in range(2)], axis=-1)
        self.heading = d / (np.hypot(d[:, 0], d[:, 1])[:, None] + 1e-6)

    def _at(self, t):
        i = int(np.clip(np.searchsorted(self.t, t, side='right') - 1, 0, len(self.t) - 2))
        span = self.t[i + 1] - self.t[i]
        u = np.clip((t - self.t[i]) / span, 0, 1)
        a, b, c, d = (2 * u**3 - 3 * u**2 + 1), (u**3 - 2 * u**2 + u) * span, (-2 * u**3 + 3 * u**2), (u**3 - u**2) * span
        return a * self.p[i] + b * self.m[i] + c * self.p[i + 1] + d * self.m[i + 1]

    def state(self, t):
        """Position, heading, metres travelled and speed at `t`, or None outside of its time."""
        if t < self.t[0] or t > self.t[-1]:
            return None
        i = min(int((t - self.t[0]) / 0.02), len(self.heading) - 1)
        x, z = self._at(t)
        travelled = float(np.interp(t, self.grid, self.length))
        j = min(i + 3, len(self.length) - 1)
        speed = (self.length[j] - self.length[max(j - 6, 0)]) / 0.12
        return float(x), float(z), tuple(self.heading[i]), travelled, float(speed)


@dataclass
class Scene:
    layout: Layout
    actors: list = field(default_factory=list)  # (model, Path)
    props: list = field(default_factory=list)
    period: float = 24.0
    loops: bool = True
    resolution: float = 2.0
    noise: float = 2.0
    tint: tuple = (1.0, 1.0, 1.0)
    brightness: float = 1.0
    cloudiness: float = 0.35
    shadows: float = 0.5

    def __post_init__(self):
        self.backdrop = Backdrop(self.layout, self.resolution)
        out = min(1.0, self.resolution)
        self.size = (int(WIDTH * out), int(HEIGHT * out))
        self.light = vignette(*self.size)

    def moment(self, time, rng):
        """The picture (BGR, 960 x 540 or less when `resolution` is below 1) and its objects: class, number,
        box [x0, y0, x1, y1] in the 960 x 540 picture and within it, visible share."""
        sun = 1.0 - self.cloudiness * (0.5 - 0.5 * np.cos(2 * np.pi * time / self.period + 0.6))
        moving = []
        for number, (model, path) in enumerate(self.actors):
            for lap in (0.0, self.period, -self.period) if self.loops else (0.0,):
                state = path.state(time + lap)
                if state:
                    moving.append((number, model, state))
        shadow = ShadowCanvas(self.layout.camera, self.layout.sun)
        for prop in self.props:
            prop.cast(shadow)
        for _, model, state in moving:
            model.cast(shadow, *state)
        image = blend_shadow(self.backdrop.image, shadow.mask, self.shadows * sun)
        canvas = Canvas(image, self.resolution, self.layout.camera)
        queue = [(prop.z, None, prop, None) for prop in self.props] + [(s[1], n, m, s) for n, m, s in moving]
        drawn = []
        for _, number, thing, state in sorted(queue, key=lambda item: -item[0]):
            if state is None:
                canvas.begin(255)
                thing.draw(canvas, time)
                canvas.end()
                continue
            canvas.begin(len(drawn) + 1)
            thing.draw(canvas, *state)
            box, area = canvas.end()
            drawn.append((number, thing.classes, box, area))
        objects = []
        for index, (number, name, box, area) in enumerate(drawn):
            x0, y0, x1, y1 = np.clip(box, 0, [WIDTH, HEIGHT] * 2)
            if x1 - x0 < 2 or y1 - y0 < 2 or area < 12:
                continue
            whole = max(1e-6, (box[2] - box[0]) * (box[3] - box[1]))
            inside = (x1 - x0) * (y1 - y0) / whole
            seen = float((canvas.ids == index + 1).sum()) / area
            objects.append({'class': name, 'number': number, 'box': [float(v) for v in (x0, y0, x1, y1)], 'visible': seen * inside})
        width, height = self.size
        picture = image if self.resolution <= 1 else cv2.resize(image, self.size, interpolation=cv2.INTER_AREA)
        gain = self.light * (self.brightness * (0.86 + 0.14 * sun))
        colour = gain[..., None] * np.array(self.tint, np.float32)
        noise = rng.standard_normal((height, width, 1), np.float32) * self.noise + rng.standard_normal((height, width, 3), np.float32) * self.noise * 0.4
        return np.clip(picture * colour + noise, 0, 255).astype(np.uint8), objects


def vignette(width, height):
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    r2 = ((x - width / 2) / (width / 2)) ** 2 + ((y - height / 2) / (height / 2)) ** 2
    return (1.03 - 0.11 * r2).astype(np.float32)

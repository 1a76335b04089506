"""The street itself: sky, houses, pavements, road, crossing; and what stands in front of people: trees, lamps, bollards."""

from dataclasses import dataclass, field

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from canvas import HEIGHT, ONE, SHIFT, WIDTH, Camera, Canvas, mix, shade

FACADES = [(118, 150, 196), (150, 178, 205), (178, 196, 214), (96, 118, 168), (170, 190, 178), (196, 186, 170), (120, 165, 205), (160, 150, 190)]
ROOFS = [(66, 70, 98), (74, 84, 126), (84, 80, 82), (60, 74, 110)]
AWNINGS = [(60, 110, 60), (50, 60, 160), (140, 80, 40), (50, 120, 170)]


@dataclass
class Layout:
    """Rows of the ground and what is on it. Depths in metres from the camera."""

    camera: Camera = field(default_factory=Camera)
    houses_z: float = 27.0
    far_kerb_z: float = 21.5
    near_kerb_z: float = 14.06
    crossing_x: tuple | None = (-0.5, 3.1)
    seed: int = 1
    sun: tuple = (0.55, -0.35)
    signs: tuple = ('CAFE', 'BOOKS', 'BAKERY', 'FLOWERS')
    lane_marks: bool = True
    greenery: float = 1.0


class Backdrop:
    """Paints the street once; frames start from a copy."""

    def __init__(self, layout, resolution):
        self.layout, self.k = layout, resolution
        self.rng = np.random.default_rng(layout.seed)
        image = np.zeros((int(HEIGHT * resolution), int(WIDTH * resolution), 3), np.uint8)
        self.canvas = Canvas(image, resolution, layout.camera)
        self._sky()
        self._houses()
        self._ground()
        self.image = self.canvas.image

    def rect(self, x0, h0, x1, h1, colour, z=None):
        z = self.layout.houses_z if z is None else z
        self.canvas.quad3([(x0, z, h0), (x1, z, h0), (x1, z, h1), (x0, z, h1)], colour)

    def strip(self, x0, x1, z0, z1, colour, h=0.0):
        self.canvas.quad3([(x0, z0, h), (x1, z0, h), (x1, z1, h), (x0, z1, h)], colour)

    def _sky(self):
        rows = self.canvas.image.shape[0]
        t = np.clip(np.linspace(0, 1.9, rows), 0, 1)[:, None, None]
        sky = np.array([216, 176, 132]) * (1 - t) + np.array([232, 226, 214]) * t
        self.canvas.image[:] = sky.astype(np.uint8)
        for _ in range(7):
            x, y = self.rng.uniform(0, WIDTH), self.rng.uniform(-10, 60)
            for _ in range(9):
                self.canvas.disc((x + self.rng.normal(0, 45), y + self.rng.normal(0, 6)), self.rng.uniform(8, 24), (238, 234, 228), 0.5)
        self.canvas.image[:] = cv2.GaussianBlur(self.canvas.image, (0, 0), 7 * self.k)

    def _houses(self):
        z = self.layout.houses_z
        half = WIDTH / 2 / float(self.layout.camera.scale(z))
        x, end = -half * 1.5, half * 1.5
        number, previous = 0, None
        while x < end:
            width = self.rng.uniform(5.2, 8.4)
            colour = FACADES[int(self.rng.integers(len(FACADES)))]
            while colour == previous:
                colour = FACADES[int(self.rng.integers(len(FACADES)))]
            previous = colour
            self._house(x, x + width, colour, number)
            x += width
            number += 1

    def _house(self, x0, x1, colour, number):
        r, width = self.rng, x1 - x0
        top = r.uniform(6.0, 6.9)
        roof = ROOFS[int(r.integers(len(ROOFS)))]
        ridge = top + r.uniform(1.2, 2.0)
        z = self.layout.houses_z
        self.canvas.quad3([(x0 - 0.1, z, top), (x1 + 0.1, z, top), (x1 - 0.25, z + 2.4, ridge), (x0 + 0.25, z + 2.4, ridge)], roof)
        for i in np.linspace(0.12, 0.9, 7):
            a, b = self.canvas.camera.project(x0 - 0.1 + 0.35 * i, z + 2.4 * i, top + (ridge - top) * i), self.canvas.camera.project(x1 + 0.1 - 0.35 * i, z + 2.4 * i, top + (ridge - top) * i)
            self.canvas.line([a, b], shade(roof, 0.9), 0.7)
        cx = r.uniform(x0 + 0.8, x1 - 1.4)
        self.rect(cx, top + 0.5, cx + 0.7, ridge + 0.6, shade(roof, 0.85))
        self.rect(cx - 0.06, ridge + 0.5, cx + 0.76, ridge + 0.66, shade(roof, 0.7))
        self.rect(x0, 0, x1, top, colour)
        brick = r.random() < 0.45
        for h in np.arange(0.3, top, 0.24 if brick else 1.1):
            self.rect(x0, h, x1, h + (0.05 if brick else 0.03), shade(colour, 0.93))
        self.rect(x0 - 0.08, top - 0.18, x1 + 0.08, top + 0.06, shade(colour, 1.18))
        self.rect(x0, top - 0.34, x1, top - 0.18, shade(colour, 0.8))
        self.rect(x0, 0, x1, 0.45, shade(colour, 0.68))
        count = max(2, int(width // 2.0))
        pitch = width / count
        for i in range(count):
            self._window(x0 + pitch * (i + 0.5), 3.75, min(1.15, pitch * 0.56), 1.65, colour)
        if number % 2 == 0:
            self._shop(x0 + 0.35, x1 - 0.35, colour, number)
        else:
            door = int(r.integers(count))
            for i in range(count):
                c = x0 + pitch * (i + 0.5)
                if i == door:
                    self._door(c, colour)
                else:
                    self._window(c, 1.0, min(1.15, pitch * 0.56), 1.6, colour)

    def _window(self, c, h, w, tall, wall):
        r = self.rng
        frame = mix((235, 238, 240), wall, 0.12)
        self.rect(c - w / 2 - 0.12, h - 0.16, c + w / 2 + 0.12, h - 0.04, shade(wall, 1.15))
        self.rect(c - w / 2 - 0.07, h - 0.05, c + w / 2 + 0.07, h + tall + 0.08, frame)
        glass = mix((92, 80, 70), (150, 140, 122), r.random() * 0.7)
        self.rect(c - w / 2, h, c + w / 2, h + tall, glass)
        self.rect(c - w / 2, h + tall * 0.55, c + w / 2, h + tall, mix(glass, (205, 192, 170), 0.35))
        if r.random() < 0.6:
            cloth = mix((222, 226, 228), (150, 170, 200), r.random() * 0.5)
            self.rect(c - w / 2, h, c - w / 2 + w * 0.2, h + tall, cloth)
            self.rect(c + w / 2 - w * 0.2, h, c + w / 2, h + tall, cloth)
        self.rect(c - 0.03, h, c + 0.03, h + tall, frame)
        self.rect(c - w / 2, h + tall * 0.6, c + w / 2, h + tall * 0.6 + 0.06, frame)
        if r.random() < 0.3 * self.layout.greenery:
            for i in np.linspace(-w / 2, w / 2, 7):
                self.canvas.disc(self.canvas.camera.project(c + i, self.layout.houses_z, h - 0.02 + r.uniform(0, 0.12)), r.uniform(3, 5), (70, int(r.uniform(95, 140)), 70) if r.random() < 0.7 else (90, 80, 200))

    def _door(self, c, wall):
        paint = [(60, 50, 110), (80, 90, 50), (110, 70, 40), (60, 70, 74)][int(self.rng.integers(4))]
        self.rect(c - 0.68, 0, c + 0.68, 2.75, shade(wall, 1.16))
        self.rect(c - 0.52, 0.12, c + 0.52, 2.25, paint)
        self.rect(c - 0.52, 2.3, c + 0.52, 2.62, (140, 128, 112))
        for h in (0.35, 1.3):
            self.rect(c - 0.38, h, c - 0.06, h + 0.75, shade(paint, 0.82))
            self.rect(c + 0.06, h, c + 0.38, h + 0.75, shade(paint, 0.82))
        self.rect(c - 0.8, 0, c + 0.8, 0.12, (150, 155, 160))

    def _shop(self, x0, x1, wall, number):
        r = self.rng
        trim = [(58, 76, 60), (58, 58, 96), (86, 62, 48), (60, 60, 66)][int(r.integers(4))]
        self.rect(x0, 0, x1, 3.1, trim)
        door = x0 + (x1 - x0) * (0.22 if r.random() < 0.5 else 0.72)
        for a, b in ((x0 + 0.15, door - 0.6), (door + 0.6, x1 - 0.15)):
            if b - a < 0.5:
                continue
            self.rect(a, 0.55, b, 2.25, (98, 112, 120))
            self.rect(a, 1.5, b, 2.25, (122, 140, 150))
            for i in np.arange(a + 0.25, b - 0.2, 0.42):
                self.rect(i, 0.6, i + 0.26, 0.6 + r.uniform(0.25, 0.7), tuple(r.uniform(50, 190, 3)))
            self.canvas.quad3([(a + (b - a) * 0.55, self.layout.houses_z, 2.25), (a + (b - a) * 0.8, self.layout.houses_z, 2.25), (a + (b - a) * 0.45, self.layout.houses_z, 0.55), (a + (b - a) * 0.2, self.layout.houses_z, 0.55)], (136, 150, 158))
        self.rect(door - 0.5, 0.1, door + 0.5, 2.25, shade(trim, 0.7))
        self.rect(door - 0.38, 0.7, door + 0.38, 2.1, (112, 122, 126))
        self.rect(x0, 2.55, x1, 3.1, shade(trim, 1.25))
        if self.layout.signs:
            self._sign((x0 + x1) / 2, 2.82, self.layout.signs[number // 2 % len(self.layout.signs)])
        if r.random() < 0.75:
            paint = AWNINGS[int(r.integers(len(AWNINGS)))]
            stripes = np.linspace(x0, x1, 2 * max(4, int((x1 - x0) / 0.8)) + 1)
            z = self.layout.houses_z
            for i, (a, b) in enumerate(zip(stripes, stripes[1:])):
                tone = paint if i % 2 == 0 else (222, 226, 228)
                self.canvas.quad3([(a, z, 2.55), (b, z, 2.55), (b, z - 1.0, 2.2), (a, z - 1.0, 2.2)], tone)
                self.canvas.quad3([(a, z - 1.0, 2.2), (b, z - 1.0, 2.2), (b, z - 1.0, 2.02), (a, z - 1.0, 2.02)], shade(tone, 0.82))

    def _sign(self, x, h, text):
        s = float(self.layout.camera.scale(self.layout.houses_z)) * self.k
        picture = Image.fromarray(self.canvas.image)
        at = self.layout.camera.project(x, self.layout.houses_z, h) * self.k
        ImageDraw.Draw(picture).text((float(at[0]), float(at[1])), text, fill=(205, 232, 240), anchor='mm', font=ImageFont.load_default(size=max(6, 0.42 * s)))
        self.canvas.image[:] = np.asarray(picture)

    def _ground(self):
        lay, c = self.layout, self.canvas
        wide = 40
        near = lay.camera.depth_at(HEIGHT + 40)
        self.strip(-wide, wide, lay.houses_z, lay.far_kerb_z, (150, 154, 158))
        self.strip(-wide, wide, lay.far_kerb_z, lay.near_kerb_z, (92, 90, 88))
        self.strip(-wide, wide, lay.near_kerb_z, near, (158, 162, 166))
        for z in np.arange(lay.houses_z, lay.far_kerb_z, -0.9):
            c.line(lay.camera.project(np.array([-wide, wide]), np.array([z, z])), (138, 142, 146), 0.7)
        for x in np.arange(-wide, wide, 0.9):
            c.line(lay.camera.project(np.array([x, x]), np.array([lay.houses_z, lay.far_kerb_z])), (140, 144, 148), 0.6)
        for i, z in enumerate(np.arange(lay.near_kerb_z, near, -0.75)):
            c.line(lay.camera.project(np.array([-wide, wide]), np.array([z, z])), (140, 144, 148), 1.0)
            for x in np.arange(-wide, wide, 1.2) + 0.6 * (i % 2):
                c.line(lay.camera.project(np.array([x, x]), np.array([z, z - 0.75])), (144, 148, 152), 1.0)
                if self.rng.random() < 0.16:
                    self.strip(x + 0.02, x + 1.18, z - 0.02, z - 0.73, shade((158, 162, 166), self.rng.uniform(0.93, 1.05)))
        self.strip(-wide, wide, lay.houses_z, lay.houses_z - 0.9, (122, 124, 128))
        for z, up in ((lay.far_kerb_z, 1), (lay.near_kerb_z, -1)):
            self.strip(-wide, wide, z + 0.16, z - 0.16, (184, 186, 188))
            self.strip(-wide, wide, z - 0.16 * up, z - 0.3 * up, (104, 104, 104) if up > 0 else (126, 128, 130))
            for x in np.arange(-wide, wide, 1.0):
                c.line(lay.camera.project(np.array([x, x]), np.array([z + 0.16, z - 0.16])), (150, 152, 154), 0.7)
        middle = (lay.far_kerb_z + lay.near_kerb_z) / 2
        x0, x1 = lay.crossing_x if lay.crossing_x else (99, 99)
        for _ in range(3):
            x, z = self.rng.uniform(-9, 9), self.rng.uniform(lay.near_kerb_z + 1, lay.far_kerb_z - 1)
            self.strip(x, x + self.rng.uniform(1.5, 4), z, z - self.rng.uniform(0.5, 1.2), (84, 82, 80))
        if lay.lane_marks:
            for x in np.arange(-wide, wide, 4.0):
                if x + 2.2 < x0 - 1.2 or x > x1 + 1.2:
                    self.strip(x, x + 2.2, middle + 0.08, middle - 0.08, (206, 210, 212))
        if lay.crossing_x:
            for z in np.arange(lay.far_kerb_z - 0.75, lay.near_kerb_z + 0.5, -1.0):
                self.strip(x0, x1, z, z - 0.52, (214, 217, 219))
            for x in (x0 - 1.1, x1 + 0.8):
                lane = (lay.near_kerb_z + 0.4, middle - 0.2) if x > x1 else (middle + 0.2, lay.far_kerb_z - 0.4)
                self.strip(x, x + 0.3, lane[1], lane[0], (206, 210, 212))
        m = self.rng.uniform(-7, -3)
        c.polygon(lay.camera.project(m + 0.35 * np.cos(np.linspace(0, 6.28, 20)), middle - 1.6 + 0.35 * np.sin(np.linspace(0, 6.28, 20))), (72, 72, 72))
        self._texture()

    def _texture(self):
        h, w = self.canvas.image.shape[:2]
        row = int(self.layout.camera.project(0, self.layout.houses_z)[1] * self.k)
        fine = self.rng.normal(0, 1, (h - row, w)).astype(np.float32)
        coarse = cv2.resize(self.rng.normal(0, 1, (12, 40)).astype(np.float32), (w, h - row), interpolation=cv2.INTER_CUBIC)
        grain = cv2.GaussianBlur(fine, (0, 0), 0.7 * self.k) * 3.6 + coarse * 1.1
        ground = self.canvas.image[row:].astype(np.float32) + grain[..., None]
        self.canvas.image[row:] = np.clip(ground, 0, 255).astype(np.uint8)


class Lamp:
    """A lamp post: thin, tall, often in front of somebody."""

    def __init__(self, x, z):
        self.x, self.z = x, z

    def draw(self, canvas, _time):
        p, s = canvas.camera.project, float(canvas.camera.scale(self.z))
        dark = (52, 56, 50)
        canvas.capsule(p(self.x, self.z, 0), p(self.x, self.z, 0.7), 0.1 * s, 0.08 * s, dark)
        canvas.capsule(p(self.x, self.z, 0.5), p(self.x, self.z, 4.4), 0.055 * s, 0.04 * s, dark)
        canvas.line([p(self.x - 0.02, self.z, 0.6), p(self.x - 0.02, self.z, 4.3)], shade(dark, 1.5), 0.015 * s)
        canvas.capsule(p(self.x, self.z, 4.35), p(self.x + 0.7, self.z, 4.6), 0.035 * s, 0.03 * s, dark)
        canvas.capsule(p(self.x + 0.5, self.z, 4.55), p(self.x + 0.9, self.z, 4.58), 0.09 * s, 0.07 * s, (90, 96, 96))

    def cast(self, shadow):
        for x, h0, h1, r in ((self.x, 0.0, 4.4, 0.06),):
            a, b = shadow.ground(x, self.z, h0), shadow.ground(x, self.z, h1)
            s = float(shadow.camera.scale(self.z)) * r
            shadow.polygon([a + [-s, 0], a + [s, 0], b + [s, 0], b + [-s, 0]])


class Bollard:
    def __init__(self, x, z):
        self.x, self.z = x, z

    def draw(self, canvas, _time):
        p, s = canvas.camera.project, float(canvas.camera.scale(self.z))
        canvas.capsule(p(self.x, self.z, 0.05), p(self.x, self.z, 0.85), 0.08 * s, 0.07 * s, (58, 58, 60))
        canvas.capsule(p(self.x - 0.02, self.z, 0.1), p(self.x - 0.02, self.z, 0.85), 0.03 * s, 0.03 * s, (84, 84, 88))
        canvas.line([p(self.x - 0.07, self.z, 0.7), p(self.x + 0.07, self.z, 0.7)], (210, 214, 216), 0.07 * s)

    def cast(self, shadow):
        a, b = shadow.ground(self.x, self.z, 0), shadow.ground(self.x, self.z, 0.9)
        s = float(shadow.camera.scale(self.z)) * 0.08
        shadow.polygon([a + [-s, 0], a + [s, 0], b + [s, 0], b + [-s, 0]])


class Bench:
    def __init__(self, x, z):
        self.x, self.z = x, z

    def draw(self, canvas, _time):
        wood, iron, z = (70, 105, 150), (50, 52, 54), self.z
        for x in (self.x - 0.75, self.x + 0.75):
            canvas.quad3([(x - 0.04, z, 0), (x + 0.04, z, 0), (x + 0.04, z, 0.85), (x - 0.04, z, 0.85)], iron)
        for h in (0.55, 0.68, 0.81):
            canvas.quad3([(self.x - 0.9, z, h), (self.x + 0.9, z, h), (self.x + 0.9, z, h + 0.09), (self.x - 0.9, z, h + 0.09)], wood)
        canvas.quad3([(self.x - 0.9, z - 0.45, 0.42), (self.x + 0.9, z - 0.45, 0.42), (self.x + 0.9, z, 0.45), (self.x - 0.9, z, 0.45)], shade(wood, 1.15))
        canvas.quad3([(self.x - 0.9, z - 0.45, 0.36), (self.x + 0.9, z - 0.45, 0.36), (self.x + 0.9, z - 0.45, 0.42), (self.x - 0.9, z - 0.45, 0.42)], shade(wood, 0.8))

    def cast(self, shadow):
        shadow.polygon([shadow.ground(self.x - 0.9, self.z, 0), shadow.ground(self.x + 0.9, self.z, 0), shadow.ground(self.x + 0.9, self.z, 0.9), shadow.ground(self.x - 0.9, self.z, 0.9)])


class Bin:
    def __init__(self, x, z, colour=(70, 96, 60)):
        self.x, self.z, self.colour = x, z, colour

    def draw(self, canvas, _time):
        p, s = canvas.camera.project, float(canvas.camera.scale(self.z))
        canvas.capsule(p(self.x, self.z, 0.2), p(self.x, self.z, 0.8), 0.24 * s, 0.26 * s, self.colour)
        canvas.capsule(p(self.x - 0.06, self.z, 0.2), p(self.x - 0.06, self.z, 0.8), 0.12 * s, 0.13 * s, shade(self.colour, 1.2))
        canvas.capsule(p(self.x - 0.2, self.z, 0.92), p(self.x + 0.2, self.z, 0.92), 0.08 * s, 0.08 * s, (46, 48, 48))

    def cast(self, shadow):
        a, b = shadow.ground(self.x, self.z, 0), shadow.ground(self.x, self.z, 0.9)
        s = float(shadow.camera.scale(self.z)) * 0.24
        shadow.polygon([a + [-s, 0], a + [s, 0], b + [s, 0], b + [-s, 0]])


class Tree:
    """A street tree whose crown sways a little; the sway repeats after `period` seconds so that the film can loop."""

    def __init__(self, x, z, seed, period=24.0, size=1.0):
        self.x, self.z, self.period, self.size = x, z, period, size
        r = np.random.default_rng(seed)
        n = 46
        a, d = r.uniform(0, 2 * np.pi, n), np.sqrt(r.uniform(0, 1, n))
        self.blobs = np.stack([np.cos(a) * d * 1.5, 4.4 + np.sin(a) * d * 1.25, r.uniform(0.28, 0.6, n)], axis=-1) * [size, 1, size]
        self.tones = r.uniform(0.72, 1.22, n)
        order = np.argsort(self.blobs[:, 1] * 0.6 + self.tones)
        self.blobs, self.tones = self.blobs[order], self.tones[order]
        self.turns = r.integers(3, 9, n)
        self.leaf = mix((58, 118, 82), (52, 140, 132), r.random())

    def draw(self, canvas, time):
        p, s = canvas.camera.project, float(canvas.camera.scale(self.z))
        bark = (58, 72, 92)
        canvas.capsule(p(self.x, self.z, 0), p(self.x, self.z, 3.6), 0.14 * s, 0.1 * s, bark)
        canvas.line([p(self.x - 0.05, self.z, 0.1), p(self.x - 0.05, self.z, 3.4)], shade(bark, 1.3), 0.05 * s)
        for (bx, bh, br), tone, turns in zip(self.blobs, self.tones, self.turns):
            sway = 0.035 * np.sin(2 * np.pi * turns * time / self.period + bx)
            canvas.disc(p(self.x + bx + sway * (bh - 3), self.z, bh), br * s, shade(self.leaf, tone * (0.8 + 0.1 * (bh - 4.4))))

    def cast(self, shadow):
        a, b = shadow.ground(self.x, self.z, 0), shadow.ground(self.x, self.z, 3.6)
        s = float(shadow.camera.scale(self.z)) * 0.12
        shadow.polygon([a + [-s, 0], a + [s, 0], b + [s, 0], b + [-s, 0]])
        ring = np.linspace(0, 2 * np.pi, 10, endpoint=False)
        for bx, bh, br in self.blobs[::3]:
            c = shadow.ground(self.x + bx, self.z, bh)
            r = br * float(shadow.camera.scale(self.z))
            shadow.polygon(c + np.stack([np.cos(ring) * r, np.sin(ring) * r * 0.5], axis=-1))


def blend_shadow(image, mask, strength):
    """Darkens the ground under the shadow mask, softly and a little blue."""
    soft = cv2.GaussianBlur(mask, (0, 0), 1.2)
    soft = cv2.resize(soft, (image.shape[1], image.shape[0]), interpolation=cv2.INTER_LINEAR)
    dark = cv2.merge([255 - (soft * (strength * s)).astype(np.uint8) for s in (0.84, 0.95, 1.0)])
    return cv2.multiply(image, dark, scale=1 / 255)


__all__ = ['Backdrop', 'Bench', 'Bin', 'Bollard', 'Lamp', 'Layout', 'Tree', 'blend_shadow', 'ONE', 'SHIFT']

"""Streets for training: other cameras, houses, light, people and vehicles than the demo's, drawn at random from a seed."""

from dataclasses import replace

import cv2
import numpy as np

from actors import CAR_SHAPES, HAIRS, SKINS, Bicycle, Car, Person
from canvas import HEIGHT, WIDTH, Camera
from scene import CLASSES, Scene
from street import Bench, Bin, Bollard, Lamp, Layout, Tree

NET_WIDTH, NET_HEIGHT = 512, 288
WORDS = ('SHOP', 'HOTEL', 'BANK', 'TEA', 'MARKET', 'BIKES', 'PIZZA', 'RADIO', 'TOYS')


class Still:
    """An actor that stands in one picture."""

    def __init__(self, state):
        self.fixed = state

    def state(self, _time):
        return self.fixed


def colour(r, dull=0.0):
    hsv = np.uint8([[[int(r.integers(180)), int(r.uniform(10, 220) * (1 - dull)), int(r.uniform(35, 240))]]])
    return tuple(float(v) for v in cv2.cvtColor(hsv, cv2.COLOR_HSV2BGR)[0, 0])


def random_person(r):
    tall = float(np.clip(r.normal(1.72, 0.1), 1.45, 1.98)) if r.random() > 0.12 else float(r.uniform(1.05, 1.4))
    return Person(tall, SKINS[int(r.integers(5))], HAIRS[int(r.integers(len(HAIRS)))], colour(r), colour(r, 0.3), colour(r, 0.5), float(r.uniform(0.85, 1.25)),
                  coat=r.random() < 0.2, skirt=r.random() < 0.13, backpack=colour(r) if r.random() < 0.25 else None, bag=colour(r) if r.random() < 0.25 else None,
                  cap=colour(r) if r.random() < 0.2 else None, long_hair=r.random() < 0.35, swing=float(r.uniform(0.75, 1.25)))


def random_street(r, resolution=2 / 3):
    camera = Camera(float(r.uniform(60, 165)), float(r.uniform(3.4, 6.0)), float(r.uniform(700, 1100)), float(r.uniform(400, 560)))
    near = camera.depth_at(HEIGHT)
    near_kerb = near + float(r.uniform(1.5, 6.0))
    far_kerb = near_kerb + float(r.uniform(6.0, 9.0))
    houses = far_kerb + float(r.uniform(3.0, 7.0))
    cross = float(r.uniform(-6, 5))
    layout = Layout(camera, houses, far_kerb, near_kerb, (cross, cross + float(r.uniform(2.6, 4.5))) if r.random() < 0.75 else None, int(r.integers(1 << 30)),
                    (float(r.uniform(-0.9, 0.9)), float(r.uniform(-0.5, 0.15))), tuple(r.permutation(WORDS)[:4]) if r.random() < 0.8 else (), r.random() < 0.8)
    warm = float(r.normal(0, 0.05))
    return Scene(layout, loops=False, resolution=resolution, noise=float(r.uniform(0.3, 4.0)), tint=(1 - warm, 1.0, 1 + warm), brightness=float(r.uniform(0.72, 1.2)),
                 cloudiness=float(r.uniform(0, 0.8)), shadows=float(r.uniform(0.1, 0.65)))


def site_street(r, resolution=1.0):
    """The demo's own street as another day may see it. Only the street: who is in it is drawn at random by `populate`."""
    from make_scene import demo_scene

    warm = float(r.normal(0, 0.04))
    demo = demo_scene(resolution)
    return replace(demo, actors=[], loops=False, noise=float(r.uniform(0.3, 3.0)), tint=(1 - warm, 1.0, 1 + warm), brightness=float(r.uniform(0.8, 1.25)),
                   cloudiness=float(r.uniform(0, 0.7)), shadows=float(r.uniform(0.2, 0.65)))


def populate(scene, r, furnished=False):
    """Fills the street anew: actors anywhere that they could be, and (unless it is furnished) things that stand before them."""
    lay, cam = scene.layout, scene.layout.camera
    near = cam.depth_at(HEIGHT + 60)

    def across(z, margin=0.6):
        half = WIDTH / 2 / float(cam.scale(z))
        return float(r.uniform(-half - margin, half + margin)) + (480 - cam.centre_x) / float(cam.scale(z))

    actors = []
    for _ in range(int(r.integers(0, 9))):
        spot = r.random()
        z = float(r.uniform(near, lay.near_kerb_z) if spot < 0.42 else r.uniform(lay.near_kerb_z, lay.far_kerb_z) if spot < 0.68 else r.uniform(lay.far_kerb_z, lay.houses_z - 0.4))
        turn = r.choice([0, np.pi]) + r.normal(0, 0.18) if r.random() < 0.6 else r.uniform(0, 2 * np.pi)
        speed = 0.0 if r.random() < 0.12 else float(r.uniform(0.9, 1.7)) if r.random() < 0.9 else float(r.uniform(2, 3))
        x = across(z)
        if lay.crossing_x and 0.42 <= spot < 0.6:
            x = float(r.uniform(*lay.crossing_x))
            turn = r.choice([np.pi / 2, -np.pi / 2]) + r.normal(0, 0.2)
        state = (x, z, (np.cos(turn), np.sin(turn)), float(r.uniform(0, 20)), speed)
        actors.append((random_person(r), Still(state)))
        if r.random() < 0.18:
            gap = float(r.uniform(0.35, 0.9)) * r.choice([-1, 1])
            actors.append((random_person(r), Still((x + gap, z + float(r.normal(0, 0.3)), state[2], float(r.uniform(0, 20)), speed))))
    for _ in range(int(r.integers(0, 4))):
        z = float(r.uniform(near + 0.5, lay.near_kerb_z)) if r.random() < 0.25 else float(r.uniform(lay.near_kerb_z + 0.3, lay.far_kerb_z - 0.2))
        turn = r.choice([0, np.pi]) + r.normal(0, 0.12) if r.random() < 0.93 else r.uniform(0, 2 * np.pi)
        model = Bicycle(colour(r), random_person(r), colour(r) if r.random() < 0.6 else None, r.random() < 0.3)
        actors.append((model, Still((across(z), z, (np.cos(turn), np.sin(turn)), float(r.uniform(0, 20)), 4.0))))
    for _ in range(int(r.integers(0, 4))):
        lane = r.random() < 0.5
        width = lay.far_kerb_z - lay.near_kerb_z
        z = lay.near_kerb_z + width * (0.27 if lane else 0.74) + float(r.normal(0, 0.35))
        x = across(z, 2.0)
        if any(isinstance(m, Car) and abs(s.fixed[1] - z) < 2 and abs(s.fixed[0] - x) < 5 for m, s in actors):
            continue
        actors.append((Car(str(r.choice(list(CAR_SHAPES))), colour(r, 0.35), r.random() < 0.3), Still((x, z, (r.choice([-1.0, 1.0]), 0.0), float(r.uniform(0, 20)), 8.0))))
    props = []
    for _ in range(int(r.integers(1, 9))):
        z = lay.far_kerb_z + float(r.uniform(0.4, 2.0)) if r.random() < 0.6 else lay.near_kerb_z - float(r.uniform(0.3, 1.5))
        x, kind = across(z), r.random()
        if kind < 0.2:
            props.append(Tree(x, max(z, lay.far_kerb_z + 0.5), int(r.integers(1 << 30)), size=float(r.uniform(0.8, 1.2))))
        elif kind < 0.45:
            props.append(Lamp(x, z))
        elif kind < 0.65:
            props.append(Bollard(x, z))
        elif kind < 0.8:
            props.append(Bench(x, z))
        else:
            props.append(Bin(x, z, colour(r, 0.4)))
    scene.actors = actors
    if not furnished:
        scene.props = props
    return scene


def letterbox(picture, r=None, size=(NET_WIDTH, NET_HEIGHT)):
    """Scales to the network's input and pads evenly on both sides, as the nvinfer keys in config_infer.txt ask."""
    scale = min(size[0] / picture.shape[1], size[1] / picture.shape[0])
    w, h = round(picture.shape[1] * scale), round(picture.shape[0] * scale)
    ways = [cv2.INTER_AREA, cv2.INTER_LINEAR, cv2.INTER_CUBIC]
    small = cv2.resize(picture, (w, h), interpolation=ways[int(r.choice(3, p=[0.5, 0.25, 0.25]))] if r is not None else cv2.INTER_AREA)
    out = np.full((size[1], size[0], 3), 0 if r is None or r.random() < 0.6 else 114, np.uint8)
    left, top = (size[0] - w) // 2, (size[1] - h) // 2
    out[top:top + h, left:left + w] = small
    return out, scale, left, top


def sample(scene, r, size=(NET_WIDTH, NET_HEIGHT), furnished=False):
    """One training picture (BGR) and its boxes [class, x0, y0, x1, y1, visible share] in its pixels."""
    populate(scene, r, furnished)
    picture, objects = scene.moment(float(r.uniform(0, scene.period)), r)
    if r.random() < 0.25:
        picture = cv2.GaussianBlur(picture, (0, 0), float(r.uniform(0.4, 1.4)))
    quality = [cv2.IMWRITE_JPEG_QUALITY, int(r.integers(35, 95))]
    picture = cv2.imdecode(cv2.imencode('.jpg', picture, quality)[1], cv2.IMREAD_COLOR)
    out, scale, left, top = letterbox(picture, r, size)
    boxes = [[CLASSES.index(o['class']), *(np.array(o['box']) * (scale * picture.shape[1] / WIDTH) + [left, top, left, top]), o['visible']] for o in objects]
    return out, np.array(boxes, np.float32).reshape(-1, 6)

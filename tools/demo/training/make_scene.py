"""Renders the demo camera: `python make_scene.py` writes ../media/street.mp4, street.truth.json and poster.jpg.

The film loops: whoever is in the picture at its end is there at its beginning.
"""

import argparse
import json
import subprocess
from pathlib import Path

import cv2
import numpy as np

from actors import HAIRS, SKINS, Bicycle, Car, Person
from canvas import HEIGHT, WIDTH
from scene import Path as Way
from scene import Scene
from street import Bench, Bin, Bollard, Lamp, Layout, Tree

FPS, SECONDS, SEED = 25, 24, 20

# The crossing as the camera sees the middle of somebody on it: what the default twin watches (normalised x, y).
REGION = [[0.475, 0.5], [0.642, 0.5], [0.71, 0.65], [0.464, 0.65]]


def demo_scene(resolution=2.0):
    layout = Layout(seed=11)
    people = {
        'anna': Person(1.68, SKINS[0], HAIRS[1], (66, 66, 186), (78, 58, 48), (40, 40, 46), coat=True, long_hair=True, bag=(48, 74, 120)),
        'ben': Person(1.82, SKINS[3], HAIRS[0], (150, 120, 62), (64, 60, 58), (200, 200, 204), backpack=(44, 120, 196)),
        'cleo': Person(1.7, SKINS[1], HAIRS[3], (94, 156, 208), (120, 84, 60), (60, 60, 70), long_hair=True, bag=(70, 70, 74)),
        'dan': Person(1.78, SKINS[2], HAIRS[0], (86, 150, 88), (52, 50, 50), (60, 70, 210), swing=1.1),
        'eva': Person(1.66, SKINS[0], HAIRS[2], (176, 170, 214), (140, 70, 92), (40, 40, 44), skirt=True, long_hair=True),
        'finn': Person(1.84, SKINS[1], HAIRS[4], (92, 88, 84), (84, 84, 92), (36, 34, 34), build=1.12, cap=(70, 60, 54)),
        'gina': Person(1.72, SKINS[4], HAIRS[0], (60, 176, 222), (92, 62, 46), (220, 220, 222), backpack=(80, 60, 60)),
        'hugo': Person(1.2, SKINS[0], HAIRS[1], (70, 90, 226), (130, 90, 60), (40, 40, 40), cap=(60, 160, 220)),
        'ida': Person(1.7, SKINS[0], HAIRS[5], (120, 86, 58), (50, 48, 50), (36, 36, 40), coat=True),
    }
    rider_one = Person(1.76, SKINS[2], HAIRS[0], (70, 170, 236), (60, 52, 50), (40, 40, 44), backpack=(60, 60, 64))
    rider_two = Person(1.68, SKINS[0], HAIRS[2], (170, 160, 120), (110, 80, 62), (60, 60, 60))
    actors = [
        # Over the crossing, three times: one alone, two together, one in a hurry. Between them it is empty.
        (people['anna'], Way([(-1.6, -2.6, 12.3), (0.2, -0.2, 12.6), (1.6, 1.0, 13.8), (6.6, 1.4, 21.8), (8.4, 2.6, 23.4), (13.5, 9.8, 23.8), (16.6, 14.4, 23.8)])),
        (people['ben'], Way([(4.0, 13.2, 24.2), (8.6, 3.0, 23.8), (9.7, 1.9, 22.2), (14.3, 1.2, 13.7), (15.6, 0.1, 12.5), (20.4, -7.4, 12.1)])),
        (people['hugo'], Way([(4.5, 13.2, 23.7), (9.1, 3.0, 23.3), (10.1, 2.4, 22.0), (14.6, 2.0, 13.6), (15.9, 0.8, 12.2), (20.9, -7.4, 11.7)])),
        (people['dan'], Way([(12.8, 10.2, 12.5), (16.6, 2.6, 12.9), (17.6, 1.5, 13.9), (20.6, 0.9, 21.8), (21.5, -0.1, 23.4), (26.6, -12.4, 24.0)])),
        # Along the pavements.
        (people['cleo'], Way([(6.2, -6.9, 11.2), (16.2, 6.9, 11.0)])),
        (people['eva'], Way([(9.2, 6.4, 10.4), (18.6, -6.2, 10.7)])),
        (people['finn'], Way([(-2.0, -14.0, 24.9), (18.4, 14.2, 24.7)])),
        (people['gina'], Way([(15.6, -6.4, 11.5), (24.4, 6.6, 11.2)])),
        (people['ida'], Way([(17.4, -14.2, 23.3), (20.5, -9.4, 23.3), (23.2, -9.4, 23.3), (26.8, -14.2, 23.2)])),
        (Bicycle((70, 60, 190), rider_one), Way([(8.4, -10.4, 15.2), (10.9, 10.6, 15.2)])),
        (Bicycle((150, 120, 50), rider_two, helmet=None, basket=True), Way([(14.6, 12.6, 19.8), (17.9, -12.4, 19.8)])),
        (Bicycle((60, 140, 70), Person(1.8, SKINS[3], HAIRS[0], (200, 196, 190), (70, 66, 60), (30, 30, 30)), helmet=(50, 60, 210)), Way([(23.2, -10.4, 15.4), (26.6, 10.6, 15.4)])),
        # One car waits at the crossing, the others pass when it is empty.
        (Car('hatch', (176, 92, 52)), Way([(1.8, -13.0, 16.4), (3.6, -5.4, 16.4), (4.6, -4.0, 16.4), (6.3, -4.0, 16.4), (7.4, -1.6, 16.4), (9.3, 12.6, 16.4)])),
        (Car('van', (222, 224, 226)), Way([(6.5, 17.0, 19.7), (9.3, -17.0, 19.7)])),
        (Car('sedan', (52, 48, 160)), Way([(14.5, -13.0, 16.5), (17.3, 13.0, 16.5)])),
        (Car('suv', (88, 84, 78)), Way([(15.4, 16.0, 19.8), (17.6, 7.2, 19.8), (18.6, 5.6, 19.8), (20.7, 5.6, 19.8), (21.8, 3.0, 19.8), (24.2, -16.0, 19.8)])),
        (Car('hatch', (74, 150, 196)), Way([(20.8, -13.0, 16.6), (23.4, 13.0, 16.6)])),
    ]
    props = [
        Tree(-9.6, 22.6, 3), Tree(8.2, 22.7, 5), Lamp(-3.6, 22.2), Lamp(12.6, 22.2), Bench(-6.2, 22.9), Bin(-4.5, 22.8),
        Bollard(-1.1, 22.0), Bollard(3.8, 22.0), Bollard(-1.0, 13.6), Bollard(3.6, 13.6), Lamp(5.6, 13.3), Bin(-5.7, 13.2, (96, 70, 60)),
    ]
    return Scene(layout, actors, props, period=SECONDS, resolution=resolution, noise=1.4, tint=(0.96, 1.0, 1.04), brightness=1.1)


def encoder(target):
    return subprocess.Popen(
        ['ffmpeg', '-hide_banner', '-loglevel', 'error', '-y', '-f', 'rawvideo', '-pix_fmt', 'bgr24', '-s', f'{WIDTH}x{HEIGHT}', '-r', str(FPS), '-i', '-',
         '-vf', 'scale=out_color_matrix=bt709:out_range=tv', '-c:v', 'libx264', '-preset', 'slow', '-profile:v', 'main', '-pix_fmt', 'yuv420p', '-crf', '25',
         '-g', str(FPS), '-keyint_min', str(FPS), '-sc_threshold', '0', '-bf', '0', '-threads', '1', '-colorspace', 'bt709', '-color_primaries', 'bt709', '-color_trc', 'bt709',
         '-x264-params', 'open-gop=0', '-map_metadata', '-1', '-fflags', '+bitexact', '-flags:v', '+bitexact', '-movflags', '+faststart', str(target)],
        stdin=subprocess.PIPE)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--out', type=Path, default=Path(__file__).resolve().parent.parent / 'media')
    parser.add_argument('--still', type=float, action='append', help='only write a picture of this second, with its boxes')
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    scene, rng = demo_scene(), np.random.default_rng(SEED)
    if args.still:
        for t in args.still:
            picture, objects = scene.moment(t, rng)
            cv2.imwrite(str(args.out / f'still-{t:04.1f}.png'), annotate(picture, objects))
        return
    film, frames = encoder(args.out / 'street.mp4'), []
    for number in range(FPS * SECONDS):
        picture, objects = scene.moment(number / FPS, rng)
        film.stdin.write(picture.tobytes())
        frames.append([[o['class'], o['number'], *[round(v, 1) for v in o['box']], round(o['visible'], 2)] for o in objects])
        if number == 290:
            cv2.imwrite(str(args.out / 'poster.jpg'), picture, [cv2.IMWRITE_JPEG_QUALITY, 88])
    film.stdin.close()
    if film.wait() != 0:
        raise SystemExit('ffmpeg could not write the film')
    write_truth(args.out / 'street.truth.json', frames)


def write_truth(target, frames):
    """One row a frame, and in it one row an object: [class index, object, left, top, right, bottom, visible share in %]."""
    from scene import CLASSES

    rows = [[[CLASSES.index(o[0]), o[1], *[round(v) for v in o[2:6]], round(o[6] * 100)] for o in frame] for frame in frames]
    head = {'width': WIDTH, 'height': HEIGHT, 'fps': FPS, 'classes': CLASSES, 'region': REGION,
            'row': ['class', 'object', 'left', 'top', 'right', 'bottom', 'visiblePercent']}
    body = ',\n'.join(json.dumps(row, separators=(',', ':')) for row in rows)
    target.write_text(json.dumps(head, indent=1)[:-2] + ',\n "frames": [\n' + body + '\n]}\n')


def annotate(picture, objects):
    picture = picture.copy()
    cv2.polylines(picture, [(np.array(REGION) * [WIDTH, HEIGHT]).astype(np.int32)], True, (0, 200, 255), 1, cv2.LINE_AA)
    for o in objects:
        x0, y0, x1, y1 = (int(round(v)) for v in o['box'])
        cv2.rectangle(picture, (x0, y0), (x1, y1), (0, 255, 0), 1)
        cv2.putText(picture, f"{o['class']} {o['visible']:.2f}", (x0, y0 - 3), cv2.FONT_HERSHEY_SIMPLEX, 0.35, (0, 255, 0), 1, cv2.LINE_AA)
    return picture


if __name__ == '__main__':
    main()

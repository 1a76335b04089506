"""Draws training pictures once; street `i` depends on the seed `i` alone.

`python dataset.py --out /tmp/streets.npz --size 384x224` draws streets of all kinds,
`python dataset.py --out /tmp/site.npz --size 512x288 --streets 240 --site 0.7 --first 1000` mostly the demo's own street with others in it.
"""

import argparse
from functools import partial
from multiprocessing import Pool
from pathlib import Path

import cv2
import numpy as np

from random_scenes import random_street, sample, site_street

PICTURES_A_STREET = 8


def street(seed, size, site):
    cv2.setNumThreads(1)
    r = np.random.default_rng([2026, seed])
    own = site > 0 and r.random() < site
    scene = site_street(r) if own else random_street(r)
    return [sample(scene, r, size, own) for _ in range(PICTURES_A_STREET)]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--out', type=Path, required=True)
    parser.add_argument('--streets', type=int, default=400)
    parser.add_argument('--first', type=int, default=0)
    parser.add_argument('--size', default='384x224')
    parser.add_argument('--site', type=float, default=0.0, help='share of streets that are the demo street')
    args = parser.parse_args()
    size = tuple(int(part) for part in args.size.split('x'))
    with Pool(2) as pool:
        groups = pool.imap(partial(street, size=size, site=args.site), range(args.first, args.first + args.streets), chunksize=4)
        drawn = [pair for group in groups for pair in group]
    counts = np.array([len(b) for _, b in drawn])
    np.savez(args.out, pictures=np.stack([p for p, _ in drawn]), counts=counts, boxes=np.concatenate([b for _, b in drawn]))
    print(f'{len(drawn)} pictures, {counts.sum()} objects')


if __name__ == '__main__':
    main()

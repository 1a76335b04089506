"""Draws the training pictures once: `python dataset.py --out /tmp/demo-train.npz`. Street `i` depends on the seed `i` alone."""

import argparse
from multiprocessing import Pool
from pathlib import Path

import cv2
import numpy as np

from random_scenes import random_street, sample

PICTURES_A_STREET = 8


def street(seed):
    cv2.setNumThreads(1)
    r = np.random.default_rng([2026, seed])
    scene = random_street(r)
    return [sample(scene, r) for _ in range(PICTURES_A_STREET)]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--out', type=Path, required=True)
    parser.add_argument('--streets', type=int, default=400)
    parser.add_argument('--first', type=int, default=0)
    args = parser.parse_args()
    with Pool(2) as pool:
        drawn = [pair for group in pool.imap(street, range(args.first, args.first + args.streets), chunksize=4) for pair in group]
    counts = np.array([len(b) for _, b in drawn])
    np.savez(args.out, pictures=np.stack([p for p, _ in drawn]), counts=counts, boxes=np.concatenate([b for _, b in drawn]))
    print(f'{len(drawn)} pictures, {counts.sum()} objects')


if __name__ == '__main__':
    main()

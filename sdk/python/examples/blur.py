#!/usr/bin/env python3
"""Makes what upstream nodes found unrecognisable: python3 blur.py [--port 6677] [--label person] [--blocks 8]

The boxes of the labels that are named (all, when none is) become a mosaic. What was found goes on untouched.
"""

import argparse

import _sdk  # noqa: F401
from vantage_custom_node import CustomNode, CustomNodeServer, NodeDescription


class Blur(CustomNode):
    def __init__(self, labels, blocks):
        self.labels = labels
        self.blocks = blocks

    def describe(self):
        return NodeDescription(image="numpy", response="image")

    def process(self, frame):
        picture = frame.pixels
        for one in frame.objects:
            if one.box is None or (self.labels and one.label not in self.labels):
                continue
            left, top, width, height = one.box
            x0, x1 = (max(0, min(frame.width, round(x * frame.width))) for x in (left, left + width))
            y0, y1 = (max(0, min(frame.height, round(y * frame.height))) for y in (top, top + height))
            if x1 > x0 and y1 > y0:
                mosaic(picture[y0:y1, x0:x1], self.blocks)
        return picture


def mosaic(area, blocks):
    """Each of blocks x blocks tiles of the area gets its mean colour, in place."""
    height, width, _ = area.shape
    for row in range(blocks):
        for column in range(blocks):
            tile = area[
                height * row // blocks : height * (row + 1) // blocks,
                width * column // blocks : width * (column + 1) // blocks,
            ]
            if tile.size:
                tile[:] = tile.mean(axis=(0, 1))


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--port", type=int, default=6677, help="0 takes a free one")
    options.add_argument("--label", action="append", default=[], help="again for more")
    options.add_argument("--blocks", type=int, default=8, help="tiles a side of each box")
    chosen = options.parse_args()
    CustomNodeServer(chosen.port, Blur(set(chosen.label), chosen.blocks)).serve()

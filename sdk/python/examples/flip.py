#!/usr/bin/env python3
"""Mirrors the picture: python3 flip.py [--port 6677] [--image numpy|bmp|jpeg]"""

import argparse

import _sdk  # noqa: F401
from vantage_custom_node import CustomNode, CustomNodeServer, NodeDescription


class Flip(CustomNode):
    def __init__(self, image):
        self.image = image

    def describe(self):
        return NodeDescription(image=self.image, response="image")

    def process(self, frame):
        return frame.view[:, ::-1]


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--port", type=int, default=6677, help="0 takes a free one")
    options.add_argument("--image", choices=["numpy", "bmp", "jpeg"], default="numpy", help="how pictures travel")
    chosen = options.parse_args()
    CustomNodeServer(chosen.port, Flip(chosen.image)).serve()

"""Writes the trained detector as ONNX: `python export.py --weights /tmp/demo.pt` writes ../models/demo/street.onnx.

Batch normalisation is folded into the convolutions and constants are folded, so that a runtime has nothing left to do.
"""

import argparse
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from torch.nn.utils.fusion import fuse_conv_bn_eval

from model import Detector, Exported
from random_scenes import NET_HEIGHT, NET_WIDTH


def fold(module):
    """Replaces every convolution followed by its normalisation by one convolution."""
    for child in module.children():
        fold(child)
    if isinstance(module, torch.nn.Sequential):
        parts, out = list(module), []
        for part in parts:
            if isinstance(part, torch.nn.BatchNorm2d) and out and isinstance(out[-1], torch.nn.Conv2d):
                out[-1] = fuse_conv_bn_eval(out[-1], part)
            else:
                out.append(part)
        module._modules = {str(i): part for i, part in enumerate(out)}
    return module


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--weights', type=Path, required=True)
    parser.add_argument('--out', type=Path, default=Path(__file__).resolve().parent.parent / 'models' / 'demo' / 'street.onnx')
    args = parser.parse_args()
    detector = Detector()
    detector.load_state_dict(torch.load(args.weights, weights_only=True))
    whole = Exported(fold(detector.eval()), NET_HEIGHT, NET_WIDTH).eval()
    example = torch.rand(1, 3, NET_HEIGHT, NET_WIDTH)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    with torch.no_grad():
        torch.onnx.export(whole, (example,), str(args.out), input_names=['images'], output_names=['output0'], opset_version=17, do_constant_folding=True, dynamo=False)
    model = onnx.load(args.out)
    for key, value in {'author': 'Vantage', 'license': 'MIT', 'description': 'Demo detector trained on synthetic street scenes only', 'names': 'person,bicycle,car'}.items():
        model.metadata_props.add(key=key, value=value)
    model.doc_string = ''
    for node in model.graph.node:
        node.doc_string = ''
    onnx.checker.check_model(model)
    onnx.save(model, args.out)
    session = onnxruntime.InferenceSession(str(args.out), providers=['CPUExecutionProvider'])
    ours = session.run(None, {'images': example.numpy()})[0]
    theirs = whole(example).detach().numpy()
    print(f'{args.out}: {args.out.stat().st_size} bytes, {len(model.graph.node)} nodes, output {ours.shape}, largest difference {np.abs(ours - theirs).max():.2e}')


if __name__ == '__main__':
    main()

"""Precision and recall of the exported model on the demo film, against its exact boxes: `python evaluate.py`.

Boxes of which less than half is visible are neither wanted nor counted as false alarms.
"""

import argparse
import json
import time
from pathlib import Path

import cv2
import numpy as np
import onnxruntime

from random_scenes import letterbox

HERE = Path(__file__).resolve().parent.parent
VISIBLE, OVERLAP = 50, 0.5


def suppress(boxes, scores, limit):
    keep, order = [], np.argsort(-scores)
    while len(order):
        first, order = order[0], order[1:]
        keep.append(first)
        order = order[iou(boxes[first][None], boxes[order])[0] < limit] if len(order) else order
    return keep


def iou(a, b):
    low, high = np.maximum(a[:, None, :2], b[None, :, :2]), np.minimum(a[:, None, 2:], b[None, :, 2:])
    inter = np.clip(high - low, 0, None).prod(-1)
    return inter / ((a[:, 2:] - a[:, :2]).prod(-1)[:, None] + (b[:, 2:] - b[:, :2]).prod(-1)[None] - inter + 1e-9)


def detect(session, picture, threshold, nms):
    x, scale, left, top = letterbox(picture)
    out = session.run(None, {'images': np.ascontiguousarray(x[..., ::-1].transpose(2, 0, 1)[None], np.float32) / 255})[0][0]
    scores, classes = out[4:].max(0), out[4:].argmax(0)
    keep = scores >= threshold
    c, s, k = out[:4, keep].T, scores[keep], classes[keep]
    boxes = np.concatenate([c[:, :2] - c[:, 2:] / 2, c[:, :2] + c[:, 2:] / 2], 1)
    boxes = (boxes - [left, top, left, top]) / scale
    rows = [[k[members][i], s[members][i], *boxes[members][i]] for cls in np.unique(k) for members in [np.flatnonzero(k == cls)] for i in suppress(boxes[members], s[members], nms)]
    return np.array(rows).reshape(-1, 6)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--model', type=Path, default=HERE / 'models' / 'demo' / 'street.onnx')
    parser.add_argument('--media', type=Path, default=HERE / 'media')
    parser.add_argument('--threshold', type=float, default=0.4)
    parser.add_argument('--nms', type=float, default=0.45)
    parser.add_argument('--draw', type=Path, help='write every 50th frame with its detections here')
    args = parser.parse_args()
    truth = json.loads((args.media / 'street.truth.json').read_text())
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(args.model), options, providers=['CPUExecutionProvider'])
    film = cv2.VideoCapture(str(args.media / 'street.mp4'))
    names = truth['classes']
    found, wanted, false = np.zeros(len(names)), np.zeros(len(names)), np.zeros(len(names))
    overlaps, spent = [], 0.0
    for number, rows in enumerate(truth['frames']):
        ok, picture = film.read()
        if not ok:
            raise SystemExit(f'the film ends at frame {number}, the truth has {len(truth["frames"])}')
        start = time.perf_counter()
        seen = detect(session, picture, args.threshold, args.nms)
        spent += time.perf_counter() - start
        rows = np.array(rows, np.float64).reshape(-1, 7)
        for c in range(len(names)):
            t, d = rows[rows[:, 0] == c], seen[seen[:, 0] == c]
            overlap = iou(d[:, 2:], t[:, 2:6]) if len(d) and len(t) else np.zeros((len(d), len(t)))
            taken = set()
            for i in np.argsort(-d[:, 1]):
                free = [j for j in range(len(t)) if j not in taken and overlap[i, j] >= OVERLAP]
                if free:
                    best = max(free, key=lambda j: overlap[i, j])
                    taken.add(best)
                    if t[best, 6] >= VISIBLE:
                        found[c] += 1
                        overlaps.append(overlap[i, best])
                elif not (len(t) and any(overlap[i, j] > 0.1 and t[j, 6] < VISIBLE for j in range(len(t)))):
                    false[c] += 1
            wanted[c] += (t[:, 6] >= VISIBLE).sum()
        if args.draw and number % 50 == 0:
            args.draw.mkdir(parents=True, exist_ok=True)
            for c, score, x0, y0, x1, y1 in seen:
                cv2.rectangle(picture, (int(x0), int(y0)), (int(x1), int(y1)), (0, 255, 255), 1)
                cv2.putText(picture, f'{names[int(c)]} {score:.2f}', (int(x0), int(y0) - 3), cv2.FONT_HERSHEY_SIMPLEX, 0.4, (0, 255, 255), 1, cv2.LINE_AA)
            cv2.imwrite(str(args.draw / f'frame-{number:04d}.png'), picture)
    for c, name in enumerate(names):
        print(f'{name:8} recall {found[c] / max(1, wanted[c]):.4f}  precision {found[c] / max(1, found[c] + false[c]):.4f}  ({int(found[c])} of {int(wanted[c])}, {int(false[c])} false)')
    print(f'mean IoU {np.mean(overlaps):.3f}, {spent / len(truth["frames"]) * 1000:.1f} ms a frame on one thread, score >= {args.threshold}')


if __name__ == '__main__':
    main()

"""The pipeline people write first: OpenCV reads and scales, ONNX Runtime runs YOLOX, NumPy reads the boxes.

    python plain_pipeline.py film.mp4 yolox_nano.onnx seconds threads

Prints one JSON document: frames, seconds, cpuMs (decoding, which is in this process, included), boxes.
The work is that of the ai-pipeline in the same measurement: each frame of the film, letterboxed to 416 x 416, one run
of the network, boxes above 0.3, suppression at 0.45. No tracker, no messages. threads 0 leaves all threads to the
libraries' own defaults.
"""

import json
import sys
import time

import cv2
import numpy as np
import onnxruntime as ort

SIZE = 416
STRIDES = (8, 16, 32)


def grids():
    cells, strides = [], []
    for stride in STRIDES:
        side = SIZE // stride
        ys, xs = np.meshgrid(np.arange(side), np.arange(side), indexing="ij")
        cells.append(np.stack((xs, ys), axis=2).reshape(-1, 2))
        strides.append(np.full((side * side, 1), stride))
    return np.concatenate(cells), np.concatenate(strides)


CELLS, CELL_STRIDES = grids()


def picture_to_tensor(frame):
    ratio = min(SIZE / frame.shape[0], SIZE / frame.shape[1])
    width, height = round(frame.shape[1] * ratio), round(frame.shape[0] * ratio)
    padded = np.full((SIZE, SIZE, 3), 114, dtype=np.uint8)
    padded[:height, :width] = cv2.resize(frame, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.ascontiguousarray(padded.transpose(2, 0, 1), dtype=np.float32)[None], ratio


def boxes_of(output, ratio):
    rows = output[0]
    centres = (rows[:, :2] + CELLS) * CELL_STRIDES
    sizes = np.exp(rows[:, 2:4]) * CELL_STRIDES
    scores = rows[:, 4:5] * rows[:, 5:]
    classes = scores.argmax(axis=1)
    best = scores[np.arange(len(scores)), classes]
    keep = best > 0.3
    corners = (centres[keep] - sizes[keep] / 2) / ratio
    boxes = np.concatenate((corners, sizes[keep] / ratio), axis=1)
    left = cv2.dnn.NMSBoxesBatched(boxes.tolist(), best[keep].tolist(), classes[keep].tolist(), 0.3, 0.45)
    return [(int(classes[keep][i]), float(best[keep][i]), boxes[i].tolist()) for i in left]


def main():
    film, model, seconds, threads = sys.argv[1], sys.argv[2], float(sys.argv[3]), int(sys.argv[4])
    options = ort.SessionOptions()
    if threads > 0:
        cv2.setNumThreads(threads)
        options.intra_op_num_threads = threads
    session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    video = cv2.VideoCapture(film)
    frames = boxes = 0
    started = cpu = None
    while started is None or time.perf_counter() - started < seconds:
        good, frame = video.read()
        if not good:
            video.set(cv2.CAP_PROP_POS_FRAMES, 0)
            continue
        tensor, ratio = picture_to_tensor(frame)
        boxes += len(boxes_of(session.run(None, {name: tensor})[0], ratio))
        frames += 1
        # The first frames are not counted on either side.
        if started is None and frames == 10:
            started, cpu, frames, boxes = time.perf_counter(), time.process_time(), 0, 0
    elapsed = time.perf_counter() - started
    figures = {"frames": frames, "seconds": elapsed, "cpuMs": (time.process_time() - cpu) * 1000, "boxes": boxes}
    print(json.dumps(figures))


if __name__ == "__main__":
    main()

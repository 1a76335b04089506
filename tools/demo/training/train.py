"""Trains the demo detector on the pictures of dataset.py, from nothing or (`--start`) from weights that it had before.

Losses and the assignment of cells to boxes follow TOOD (Feng et al. 2021, "task-aligned" assignment) with generalised IoU
(Rezatofighi et al. 2019) for the boxes.
"""

import argparse
import time
from pathlib import Path

import cv2
import numpy as np
import torch
from torch.nn.functional import binary_cross_entropy_with_logits as bce

from model import Detector, cells

SEEN = 0.3  # Objects of which less is visible are neither wanted nor punished.


class Pictures:
    def __init__(self, file):
        data = np.load(file)
        self.pictures = data['pictures']
        ends = np.cumsum(data['counts'])
        self.boxes = np.split(data['boxes'], ends[:-1])
        # Training sees windows of the pictures: the network has no notion of place, and most of a picture is houses and road.
        height, width = self.pictures.shape[1:3]
        self.window = (int(width * 0.69) // 32 * 32, int(height * 0.72) // 32 * 32)

    def batch(self, indices, r):
        images, targets = [], []
        for i in indices:
            image, boxes = augment(self.pictures[i], self.boxes[i].copy(), self.window, r)
            images.append(image)
            targets.append(torch.from_numpy(boxes))
        x = torch.from_numpy(np.stack(images)[..., ::-1].copy()).permute(0, 3, 1, 2).float() / 255
        return x.contiguous(memory_format=torch.channels_last), targets


def augment(image, boxes, window, r):
    if r.random() < 0.5:
        image = image[:, ::-1]
        boxes[:, [1, 3]] = image.shape[1] - boxes[:, [3, 1]]
    if r.random() < 0.5:
        image, boxes = zoom(image, boxes, r)
    image, boxes = crop(image, boxes, window, r)
    gain = np.clip(r.normal(1, 0.1, 3), 0.75, 1.25) * r.uniform(0.8, 1.2)
    table = np.clip(np.arange(256)[:, None] * gain + r.uniform(-10, 10), 0, 255).astype(np.uint8)
    image = cv2.LUT(np.ascontiguousarray(image), table[None])
    if r.random() < 0.3:
        noise = r.standard_normal(image.shape[:2], np.float32) * r.uniform(1, 7)
        image = cv2.add(image, cv2.merge([noise] * 3), dtype=cv2.CV_8U)
    return image, boxes


def zoom(image, boxes, r):
    """Cuts out a part and enlarges it, or shrinks the picture on a plain ground."""
    height, width = image.shape[:2]
    s = float(r.uniform(0.75, 1.5))
    dx, dy = (float(r.uniform(min(0, side * (1 - s)), max(0, side * (1 - s)))) for side in (width, height))
    image = cv2.warpAffine(np.ascontiguousarray(image), np.array([[s, 0, dx], [0, s, dy]], np.float32), (width, height), flags=cv2.INTER_LINEAR)
    return image, moved(boxes, s, dx, dy, width, height)


def crop(image, boxes, window, r):
    """Cuts out a window, mostly one with an object in it."""
    height, width = image.shape[:2]
    if len(boxes) and r.random() < 0.85:
        _, x0, y0, x1, y1, _ = boxes[int(r.integers(len(boxes)))]
        left, top = (x0 + x1) / 2 - window[0] * r.uniform(0.1, 0.9), (y0 + y1) / 2 - window[1] * r.uniform(0.1, 0.9)
    else:
        left, top = r.uniform(0, width - window[0]), r.uniform(0, height - window[1])
    left, top = int(np.clip(left, 0, width - window[0])), int(np.clip(top, 0, height - window[1]))
    return image[top:top + window[1], left:left + window[0]], moved(boxes, 1.0, -left, -top, *window)


def moved(boxes, scale, dx, dy, width, height):
    """Boxes in a scaled and moved picture, cut at its edges, with less visible of those that were cut."""
    whole = (boxes[:, 3] - boxes[:, 1]) * (boxes[:, 4] - boxes[:, 2]) * scale**2
    boxes = boxes.copy()
    boxes[:, 1:5] = boxes[:, 1:5] * scale + [dx, dy] * 2
    boxes[:, [1, 3]] = boxes[:, [1, 3]].clip(0, width)
    boxes[:, [2, 4]] = boxes[:, [2, 4]].clip(0, height)
    left = (boxes[:, 3] - boxes[:, 1]) * (boxes[:, 4] - boxes[:, 2]) / (whole + 1e-6)
    boxes[:, 5] *= left
    return boxes[left > 0.02]


def giou(a, b):
    low, high = torch.maximum(a[..., :2], b[..., :2]), torch.minimum(a[..., 2:], b[..., 2:])
    inter = (high - low).clamp(min=0).prod(-1)
    union = (a[..., 2:] - a[..., :2]).prod(-1) + (b[..., 2:] - b[..., :2]).prod(-1) - inter + 1e-7
    hull = (torch.maximum(a[..., 2:], b[..., 2:]) - torch.minimum(a[..., :2], b[..., :2])).prod(-1) + 1e-7
    iou = inter / union
    return iou, iou - (hull - union) / hull


def losses(d, scores, targets, centres, strides, classes):
    pixels = d * strides[None, None]
    boxes = torch.cat([centres.T[None] - pixels[:, :2], centres.T[None] + pixels[:, 2:]], 1).transpose(1, 2)
    scores = scores.transpose(1, 2)
    wanted, weight, pairs = torch.zeros_like(scores), torch.ones_like(scores), []
    for n, target in enumerate(targets):
        if len(target) == 0:
            continue
        seen = target[:, 5] >= SEEN
        t = target[:, 1:5]
        inside = torch.cat([centres[None] - t[:, None, :2], t[:, None, 2:] - centres[None]], -1).amin(-1) > 0
        weight[n][(inside & ~seen[:, None]).any(0)] = 0.0
        target, t, inside = target[seen], t[seen], inside[seen]
        small = ~inside.any(1)
        if small.any():
            middle = (t[small, :2] + t[small, 2:]) / 2
            nearest = (centres[None] - middle[:, None]).pow(2).sum(-1).argmin(1)
            inside[torch.nonzero(small).flatten(), nearest] = True
        if len(t) == 0:
            continue
        cls = target[:, 0].long()
        with torch.no_grad():
            iou, _ = giou(boxes[n][None], t[:, None])
            metric = scores[n].sigmoid()[:, cls].T.clamp(min=1e-4).sqrt() * iou.clamp(min=1e-3).pow(4) * inside
            top, index = metric.topk(min(10, metric.shape[1]), dim=1)
            chosen = torch.zeros_like(metric).scatter_(1, index, (top > 0).float())
            owner = (metric * chosen).argmax(0)
            cell = torch.nonzero(chosen.any(0)).flatten()
            owner = owner[cell]
            best = (metric * chosen).amax(1).clamp(min=1e-9)
            quality = metric[owner, cell] / best[owner] * (iou * chosen).amax(1)[owner].clamp(min=0.1)
        wanted[n][cell, cls[owner]] = quality
        weight[n][cell] = 1.0
        pairs.append((boxes[n][cell], t[owner], quality))
    total = wanted.sum().clamp(min=1.0)
    p = scores.detach().sigmoid()
    focus = torch.where(wanted > 0, wanted, 0.75 * p.pow(2))
    class_loss = (bce(scores, wanted, reduction='none') * weight * torch.where(wanted > 0, torch.ones_like(focus), focus)).sum() / total
    if not pairs:
        return class_loss, class_loss.detach() * 0
    a, b, q = (torch.cat(column) for column in zip(*pairs))
    return class_loss, ((1 - giou(a, b)[1]) * q).sum() / total


def settle(model, pictures, count=800):
    """Measures the normalisation's means and variances anew for the averaged weights, on whole, unchanged pictures.

    Those gathered while training belong to weights that were never these, and to windows instead of pictures.
    """
    for part in model.modules():
        if isinstance(part, torch.nn.BatchNorm2d):
            part.reset_running_stats()
            part.momentum = None
    model.train()
    with torch.no_grad():
        for start in range(0, min(count, len(pictures)), 16):
            x = torch.from_numpy(pictures[start:start + 16][..., ::-1].copy()).permute(0, 3, 1, 2).float() / 255
            model(x.contiguous(memory_format=torch.channels_last))
    return model


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--data', type=Path, required=True)
    parser.add_argument('--out', type=Path, required=True)
    parser.add_argument('--start', type=Path, help='weights to go on from')
    parser.add_argument('--rate', type=float, default=2.5e-3, help='highest learning rate')
    parser.add_argument('--epochs', type=int, default=11)
    parser.add_argument('--batch', type=int, default=8)
    parser.add_argument('--threads', type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    cv2.setNumThreads(1)
    torch.manual_seed(7)
    r = np.random.default_rng(7)
    pictures = Pictures(args.data)
    model = Detector().to(memory_format=torch.channels_last)
    if args.start:
        model.load_state_dict(torch.load(args.start, weights_only=True))
    print(f'{sum(p.numel() for p in model.parameters())} parameters, {len(pictures.pictures)} pictures', flush=True)
    centres, strides = cells(pictures.window[1], pictures.window[0])
    decay = [p for p in model.parameters() if p.ndim > 1]
    rest = [p for p in model.parameters() if p.ndim <= 1]
    optimiser = torch.optim.AdamW([{'params': decay, 'weight_decay': 0.02}, {'params': rest, 'weight_decay': 0.0}], lr=2e-3)
    steps = len(pictures.pictures) // args.batch * args.epochs
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, args.rate, total_steps=steps, pct_start=0.08, final_div_factor=50)
    average = {k: v.clone() for k, v in model.state_dict().items()}
    step, start = 0, time.time()
    for epoch in range(args.epochs):
        model.train()
        seen = [0.0, 0.0]
        order = r.permutation(len(pictures.pictures))
        batches = len(order) // args.batch
        for i in range(batches):
            x, targets = pictures.batch(order[i * args.batch:(i + 1) * args.batch], r)
            d, scores = model(x)
            class_loss, box_loss = losses(d, scores, targets, centres, strides, model.classes)
            optimiser.zero_grad(set_to_none=True)
            (class_loss + 6.0 * box_loss).backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 10.0)
            optimiser.step()
            schedule.step()
            step += 1
            keep = min(0.998, step / (step + 20))
            for k, v in model.state_dict().items():
                average[k].mul_(keep).add_(v, alpha=1 - keep) if v.dtype.is_floating_point else average[k].copy_(v)
            seen = [seen[0] + float(class_loss.detach()), seen[1] + float(box_loss.detach())]
            if i % 100 == 0:
                print(f'epoch {epoch} {i}/{batches} class {class_loss:.3f} box {box_loss:.3f} {time.time() - start:.0f}s', flush=True)
        print(f'epoch {epoch} mean class {seen[0] / batches:.3f} box {seen[1] / batches:.3f} {time.time() - start:.0f}s', flush=True)
        torch.save(average, args.out)
    model.load_state_dict(average)
    torch.save(settle(model, pictures.pictures).state_dict(), args.out)


if __name__ == '__main__':
    main()

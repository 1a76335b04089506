"""A small anchor-free detector: a residual backbone, a three-level feature pyramid and one decoupled head for all levels."""

import torch
from torch import nn

STRIDES = (8, 16, 32)


def conv(cin, cout, k=3, s=1):
    return nn.Sequential(nn.Conv2d(cin, cout, k, s, (k - s + 1) // 2 if k > s > 1 else k // 2, bias=False), nn.BatchNorm2d(cout), nn.ReLU(inplace=True))


class Residual(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.body = nn.Sequential(conv(c, c // 2), nn.Conv2d(c // 2, c, 3, 1, 1, bias=False), nn.BatchNorm2d(c))

    def forward(self, x):
        return torch.relu(x + self.body(x))


class Detector(nn.Module):
    """Gives raw distances (left, top, right, bottom, in strides) and class logits for every cell, fine to coarse."""

    def __init__(self, classes=3):
        super().__init__()
        self.classes = classes
        self.stem = nn.Sequential(conv(3, 32, 6, 4), Residual(32))
        self.s8 = nn.Sequential(conv(32, 64, 3, 2), Residual(64), Residual(64))
        self.s16 = nn.Sequential(conv(64, 80, 3, 2), Residual(80))
        self.s32 = nn.Sequential(conv(80, 80, 3, 2), Residual(80))
        width = 48
        self.lateral = nn.ModuleList([conv(64, width, 1), conv(80, width, 1), conv(80, width, 1)])
        self.fuse = nn.ModuleList([conv(width, width), conv(width, width)])
        self.down = nn.ModuleList([conv(width, width, 3, 2), conv(width, width, 3, 2)])
        self.box_tower = conv(width, width)
        self.class_tower = conv(width, width)
        self.box = nn.Conv2d(width, 4, 1)
        self.score = nn.Conv2d(width, classes, 1)
        self.level = nn.Parameter(torch.tensor([1.0, 1.0, 1.0]))
        nn.init.constant_(self.score.bias, -4.6)
        nn.init.constant_(self.box.bias, 1.0)

    def features(self, x):
        a = self.s8(self.stem(x))
        b = self.s16(a)
        c = self.s32(b)
        a, b, c = (lateral(f) for lateral, f in zip(self.lateral, (a, b, c)))
        b = self.fuse[0](b + nn.functional.interpolate(c, scale_factor=2.0, mode='nearest'))
        a = self.fuse[1](a + nn.functional.interpolate(b, scale_factor=2.0, mode='nearest'))
        b = b + self.down[0](a)
        c = c + self.down[1](b)
        return a, b, c

    def forward(self, x):
        distances, scores = [], []
        for i, f in enumerate(self.features(x)):
            distances.append((nn.functional.softplus(self.box(self.box_tower(f)) * self.level[i])).flatten(2))
            scores.append(self.score(self.class_tower(f)).flatten(2))
        return torch.cat(distances, 2), torch.cat(scores, 2)


def cells(height, width):
    """Centres of all cells in pixels [N, 2] and their stride [N], in the order of the detector's output."""
    centres, strides = [], []
    for s in STRIDES:
        y, x = torch.meshgrid(torch.arange(height // s), torch.arange(width // s), indexing='ij')
        centres.append(torch.stack([(x.flatten() + 0.5) * s, (y.flatten() + 0.5) * s], 1).float())
        strides.append(torch.full((x.numel(),), float(s)))
    return torch.cat(centres), torch.cat(strides)


class Exported(nn.Module):
    """The detector with its decoding: [1, 4 + classes, N] of centre x, centre y, width, height in pixels, then scores 0..1."""

    def __init__(self, detector, height, width):
        super().__init__()
        self.detector = detector
        centres, strides = cells(height, width)
        self.register_buffer('centres', centres.T[None])
        self.register_buffer('strides', strides[None, None])

    def forward(self, images):
        d, scores = self.detector(images)
        d = d * self.strides
        middle = self.centres + (d[:, 2:] - d[:, :2]) * 0.5
        return torch.cat([middle, d[:, 2:] + d[:, :2], torch.sigmoid(scores)], 1)

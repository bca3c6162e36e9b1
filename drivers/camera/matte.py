"""Cuts the virtual person out of a photograph, and paints the hall they stand in.

Test equipment. Pictures in, pictures out; knows nothing of time, scenes or streams.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from drivers.camera.headmodel import Head, Image


def _ellipse(u: float, v: float, ru: float, rv: float) -> NDArray[np.float64]:
    t = np.linspace(0, 2 * np.pi, 60)
    return np.stack([u + ru * np.cos(t), v + rv * np.sin(t)], 1)


def _torso(chin: float, neck: float, shoulders: float, drop: float) -> NDArray[np.float64]:
    right = [(neck, chin - 0.3), (neck, chin + drop), (shoulders, chin + 1.2), (shoulders * 1.6, 9)]
    return np.array([(-u, v) for u, v in right] + right[::-1])


def person_alpha(picture: Image, head: Head) -> Image:
    """HxW uint8: 255 where the person is. GrabCut, told where head and shoulders must be."""
    half = cv2.resize(picture, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    labels = np.full(half.shape[:2], cv2.GC_BGD, np.uint8)
    chin = float(head.points[8, 1])
    u = (head.side_right - head.side_left) / 2  # the head's middle, also when it is turned
    forehead = np.array([[0.8, -0.5], [0.5, -0.9], [-0.5, -0.9], [-0.8, -0.5]])
    regions = [
        (_ellipse(u, 0.1, 1.75, 2.2), cv2.GC_PR_BGD),
        (_torso(chin, 1.3, 3.6, 0.2), cv2.GC_PR_BGD),
        (_ellipse(u, 0.1, 1.15, 1.55), cv2.GC_PR_FGD),
        (_torso(chin, 0.8, 2.2, 0.6), cv2.GC_PR_FGD),
        (_torso(chin, 0.4, 1.6, 0.75), cv2.GC_FGD),
        (_ellipse(u, -0.1, 0.8, 1.2), cv2.GC_FGD),
        (np.concatenate([head.points[:17] * 0.95, forehead]), cv2.GC_FGD),
    ]
    for outline, label in regions:
        cv2.fillPoly(labels, [(head.to_xy(outline.astype(np.float32)) / 2).astype(np.int32)], label)
    cv2.setRNGSeed(1)  # the same photograph always gives the same person
    back, front = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.grabCut(half, labels, (0, 0, 0, 0), back, front, 4, cv2.GC_INIT_WITH_MASK)
    person = np.isin(labels, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.uint8)
    _, parts = cv2.connectedComponents(person)
    x, y = (head.origin / 2).astype(int)
    whole = np.where(parts == parts[y, x], 255, 0).astype(np.uint8)
    opened = cv2.morphologyEx(whole, cv2.MORPH_OPEN, np.ones((5, 5), np.uint8))
    closed = cv2.morphologyEx(opened, cv2.MORPH_CLOSE, np.ones((7, 7), np.uint8))
    alpha = cv2.GaussianBlur(closed, (0, 0), 1.6)
    size = (picture.shape[1], picture.shape[0])
    return np.asarray(cv2.resize(alpha, size, interpolation=cv2.INTER_LINEAR), np.uint8)


def entrance_hall(width: int, height: int) -> Image:
    """An empty entrance hall, out of focus: wall, floor, a door, lamps. HxWx3 BGR."""
    rows = np.linspace(0, 1, height, dtype=np.float32)[:, None, None]
    wall, floor = np.array([172, 184, 188]), np.array([118, 128, 136])
    hall = np.where(rows < 0.74, wall * (1.06 - 0.22 * rows), floor * (0.75 + 0.3 * rows))
    hall = np.repeat(hall, width, 1).astype(np.float32)
    boxes = [
        (0.08, 0.22, 0.27, 0.76, (150, 132, 108)),
        (0.10, 0.25, 0.25, 0.72, (205, 198, 180)),
        (0.70, 0.18, 0.95, 0.44, (128, 146, 92)),
        (0.72, 0.21, 0.93, 0.41, (214, 220, 214)),
        (0.78, 0.55, 0.90, 0.78, (96, 104, 150)),
        (0.0, 0.735, 1.0, 0.755, (92, 98, 104)),
    ]
    for x0, y0, x1, y1, colour in boxes:
        corner_a = (int(x0 * width), int(y0 * height))
        corner_b = (int(x1 * width), int(y1 * height))
        cv2.rectangle(hall, corner_a, corner_b, colour, -1)
    for x in (0.35, 0.62):
        cv2.ellipse(hall, (int(x * width), int(0.04 * height)), (46, 9), 0, 0, 360, (250,) * 3, -1)
    columns = np.linspace(-1, 1, width, dtype=np.float32)[None, :, None]
    hall = np.asarray(cv2.GaussianBlur(hall, (0, 0), 7), np.float32)
    return np.asarray(np.clip(hall * (1 - 0.12 * columns**2), 0, 255), np.uint8)

"""The bird: one body plan that posture, plumpness, neck and legs turn into many."""

from __future__ import annotations

import math

import numpy as np

from nle_fast.world import plumage
from nle_fast.world.canvas import Canvas, Cover
from nle_fast.world.curves import Frame, Points, arc, ellipse, ribbon, spline, turned
from nle_fast.world.plan import Plan, Pose

__all__ = ["draw_bird", "feet", "frame_of"]

_FIT = 0.40  # length of a body as a fraction of the picture


def _rotated(pose: Pose, points: list[tuple[float, float]]) -> Points:
    return turned(np.array(points), -pose.tilt)


def _hip(pose: Pose) -> Points:
    return _rotated(pose, [(-0.04, 0.24 * pose.plump)])[0] + (0.02, 0.02)


def frame_of(pose: Pose) -> Frame:
    """Where a bird of this pose stands: the same whatever its looks, so that a changed look moves nothing else."""
    top = -0.44 - pose.neck - 0.30 * math.sin(pose.tilt) - 0.12
    bottom = float(_hip(pose)[1]) + pose.leg
    left = -0.5 * math.cos(pose.tilt) - 0.38
    right = 0.5 * math.cos(pose.tilt) + 0.5
    scale = _FIT * pose.scale * min(1.0, 1.9 / (bottom - top + 0.4))
    sign = -1 if pose.mirror else 1
    x = pose.x - sign * scale * (left + right) / 2
    return Frame(x, pose.y - scale * (top + bottom) / 2, scale, mirror=pose.mirror)


def feet(pose: Pose) -> tuple[float, float]:
    """Where the feet stand, in unit picture coordinates."""
    x, y = frame_of(pose)([_hip(pose) + (0.03, pose.leg)])[0]
    return float(x), float(y)


def draw_bird(canvas: Canvas, plan: Plan) -> None:
    """Paint the bird, back to front."""
    pose, looks, rgb = plan.pose, plan.looks, plan.rgb
    at = frame_of(pose)
    px = at.scale * canvas.size
    k = pose.plump
    rh = pose.head
    neck = np.array((0.30, -1.0)) * pose.neck
    center = _rotated(pose, [(0.40, -0.14 * k)])[0] + neck + (0.05, -0.10)
    face = -1.0 if pose.back else 1.0

    def local_head(points: Points) -> Points:
        """Points around the head: nodding, looking back or ahead."""
        return turned(np.asarray(points, float), pose.nod * 0.6) * (face, 1) + center

    def fill(part: str, outlines: list[Points], slope: float, round_: float = 0.0, radius: float = 0.0) -> Cover | None:
        cover = canvas.cover([at(o) for o in outlines], pad=1 + int(radius))
        if cover is not None and part not in canvas.removed:
            canvas.paint(part, cover, canvas.lit(rgb[part], canvas.volume(cover, slope, round_, radius)))
        return cover

    wing_root = _rotated(pose, [(0.20, -0.10 * k)])[0]
    if pose.raised:
        plumage.wing(canvas, plan, at, wing_root + (0.05, -0.03), far=True)
    root = _rotated(pose, [(-0.44, 0.02)])[0]
    plumage.tail(canvas, plan, at, root, math.pi - pose.tilt + 0.12)

    _legs(canvas, plan, at)

    outline = np.vstack(
        [
            _rotated(pose, [(-0.53, -0.015), (-0.30, -0.17 * k), (0.0, -0.27 * k), (0.22, -0.27 * k)]),
            [center + (-0.86 * rh, 0.10 * rh), center + (-0.2 * rh, -0.5 * rh), center + (0.62 * rh, 0.45 * rh)],
            _rotated(pose, [(0.53, 0.04 * k), (0.42, 0.24 * k), (0.14, 0.34 * k), (-0.2, 0.25 * k), (-0.46, 0.075)]),
        ]
    )
    body = canvas.cover([at(spline(outline))], pad=1 + int(0.12 * px))
    if body is not None and "body" not in canvas.removed:
        canvas.paint("body", body, canvas.lit(rgb["body"], canvas.volume(body, 0.28, 0.75, 0.24 * px)))
    front = np.vstack(
        [
            [center + (0.45 * rh, 0.70 * rh), center + (0.95 * rh, 0.8 * rh)],
            _rotated(pose, [(0.66, 0.05), (0.52, 0.36 * k), (0.16, 0.46 * k), (-0.12, 0.36 * k), (0.08, 0.16 * k)]),
            _rotated(pose, [(0.24, 0.02 * k)]),
        ]
    )
    breast = canvas.cover([at(spline(front))])
    if breast is not None and body is not None and "breast" not in canvas.removed:
        clipped = breast.within(body)
        if clipped is not None:
            shade = canvas.volume(body, 0.22, 0.75, 0.24 * px)
            box = clipped.box
            rows = slice(box[0].start - body.top, box[0].stop - body.top)
            columns = slice(box[1].start - body.left, box[1].stop - body.left)
            canvas.paint("breast", clipped, canvas.lit(rgb["breast"], shade[rows, columns]))
    plumage.wing(canvas, plan, at, wing_root, far=False)
    plumage.crest(canvas, plan, lambda points: at(local_head(points)), rh)
    plumage.beak(canvas, plan, lambda points: at(local_head(points)), rh)
    skull = np.array(
        [
            (-0.98, 0.02),
            (-0.66, -0.74),
            (0.05, -0.98),
            (0.72, -0.66),
            (1.0, 0.05),
            (0.74, 0.66),
            (0.1, 0.92),
            (-0.7, 0.7),
        ]
    )
    fill("head", [local_head(spline(skull * rh))], 0.25, 0.6, 0.12 * px)
    if looks["eye"] and "eye" not in canvas.removed:
        _eye(canvas, plan, lambda points: at(local_head(points)), rh)


def _eye(canvas: Canvas, plan: Plan, place: object, rh: float) -> None:
    put = place  # local head coordinates to the picture
    ring = canvas.cover([put(ellipse(0.36 * rh, -0.16 * rh, 0.33 * rh, 0.33 * rh))])  # type: ignore[operator]
    ball = canvas.cover([put(ellipse(0.38 * rh, -0.16 * rh, 0.25 * rh, 0.25 * rh))])  # type: ignore[operator]
    glint = canvas.cover([put(ellipse(0.46 * rh, -0.26 * rh, 0.085 * rh, 0.085 * rh, n=12))])  # type: ignore[operator]
    head = np.array(plan.rgb["head"])
    pale = head * 0.35 + np.array((1.0, 0.97, 0.9)) * 0.65 if head.sum() < 2.3 else head * 0.55
    canvas.paint("eye", ring, pale.tolist())
    canvas.paint("eye", ball, plan.rgb["eye"])
    canvas.paint("eye", glint, (1, 1, 1))


def _legs(canvas: Canvas, plan: Plan, at: Frame) -> None:
    pose = plan.pose
    hip = _hip(pose)
    outlines = []
    for shift in (-0.055, 0.055):
        top = hip + (shift - 0.02, -0.08)
        knee = hip + (shift - 0.05, 0.42 * pose.leg)
        foot = hip + (0.03 + shift, pose.leg)
        outlines.append(ribbon(np.array([top, knee, foot]), [0.075, 0.042, 0.036]))
        for angle, length in ((0.12, 0.12), (-0.02, 0.075), (math.pi - 0.1, 0.06)):
            outlines.append(ribbon(arc(foot[0], foot[1] - 0.012, angle, length, 0.5, 4), [0.036, 0.036, 0.03, 0.018]))
    cover = canvas.cover([at(o) for o in outlines])
    if cover is not None:
        canvas.paint("legs", cover, canvas.lit(plan.rgb["legs"], canvas.volume(cover, 0.2)))

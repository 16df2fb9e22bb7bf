"""The bird: one body plan that posture, plumpness, neck and legs turn into many."""

from __future__ import annotations

import math

import numpy as np

from nle_fast.world import plumage
from nle_fast.world.canvas import Canvas, Cover
from nle_fast.world.curves import Frame, Points, arc, ellipse, ribbon, spline, turned, vec
from nle_fast.world.plan import Plan, Pose

__all__ = ["draw_bird", "feet", "frame_of"]

_FIT = 0.44  # length of a body as a fraction of the picture
_SKULL = spline(
    [
        (-1.0, 0.05),
        (-0.70, -0.72),
        (0.0, -0.98),
        (0.70, -0.68),
        (1.0, 0.0),
        (0.82, 0.56),
        (0.46, 1.02),
        (-0.25, 1.22),
        (-0.92, 0.82),
    ]
)


def _rotated(pose: Pose, points: list[tuple[float, float]]) -> Points:
    return turned(np.array(points), -pose.tilt)


def _hip(pose: Pose) -> Points:
    hip: Points = _rotated(pose, [(-0.04, 0.24 * pose.plump)])[0] + vec(0.02, 0.02)
    return hip


def frame_of(pose: Pose) -> Frame:
    """Where a bird of this pose stands: the same whatever its looks, so that a changed look moves nothing else."""
    top = -0.50 - pose.neck - 0.30 * math.sin(pose.tilt) - (0.42 if pose.raised else 0.14)
    bottom = float(_hip(pose)[1]) + (0.12 if pose.support == "air" else pose.leg)
    left = -0.5 * math.cos(pose.tilt) - 0.42
    right = 0.5 * math.cos(pose.tilt) + 0.46
    scale = _FIT * pose.scale * min(1.0, 1.75 / (bottom - top))
    sign = -1 if pose.mirror else 1
    x = pose.x - sign * scale * (left + right) / 2
    return Frame(x, pose.y - scale * (top + bottom) / 2, scale, mirror=pose.mirror)


def feet(pose: Pose) -> tuple[float, float]:
    """Where the feet stand, in unit picture coordinates."""
    x, y = frame_of(pose)([_hip(pose) + vec(0.03, pose.leg)])[0]
    return float(x), float(y)


def draw_bird(canvas: Canvas, plan: Plan) -> None:
    """Paint the bird, back to front."""
    pose = plan.pose
    at = frame_of(pose)
    k, rh = pose.plump, pose.head
    center: Points = _rotated(pose, [(0.40, -0.14 * k)])[0] + np.array((0.30, -1.0)) * pose.neck + vec(0.05, -0.10)
    face = -1.0 if pose.back else 1.0

    def on_head(points: Points) -> Points:
        """Points around the head, nodding, looking back or ahead, in the picture."""
        return at(turned(points, pose.nod * 0.6) * (face, 1) + center)

    root: Points = _rotated(pose, [(0.20, -0.10 * k)])[0]
    if pose.raised:
        plumage.wing(canvas, plan, at, root + vec(0.06, -0.03), far=True)
    plumage.tail(canvas, plan, at, _rotated(pose, [(-0.44, 0.02)])[0], math.pi - pose.tilt + 0.12)
    _legs(canvas, plan, at)
    body = _trunk(canvas, plan, at, center)
    plumage.wing(canvas, plan, at, root + vec(-0.03, 0.07) if pose.raised else root, body=body)
    plumage.crest(canvas, plan, on_head, rh)
    plumage.beak(canvas, plan, on_head, rh)
    px = at.scale * canvas.size
    head = canvas.cover([on_head(_SKULL * rh)], pad=1 + int(0.1 * px))
    if head is not None and "head" not in canvas.removed:
        canvas.paint("head", head, canvas.lit(plan.rgb["head"], canvas.volume(head, 0.22, 0.55, 0.14 * px)))
    _eye(canvas, plan, on_head, rh)


def _trunk(canvas: Canvas, plan: Plan, at: Frame, center: Points) -> Cover | None:
    """Body and breast, the soft front of it; returns what the body covers."""
    pose, k, rh = plan.pose, plan.pose.plump, plan.pose.head
    px = at.scale * canvas.size
    outline = np.concatenate(
        [
            _rotated(pose, [(-0.53, -0.015), (-0.30, -0.17 * k), (0.0, -0.27 * k), (0.22, -0.27 * k)]),
            center + rh * np.array([(-0.90, 0.30), (-0.2, -0.5), (0.66, 0.50)]),
            _rotated(pose, [(0.53, 0.04 * k), (0.42, 0.24 * k), (0.14, 0.34 * k), (-0.2, 0.25 * k), (-0.46, 0.075)]),
        ]
    )
    body = canvas.cover([at(spline(outline))], pad=1 + int(0.12 * px))
    if body is None:
        return None
    shade = canvas.volume(body, 0.22, 0.62, 0.30 * px)
    canvas.paint("body", body, canvas.lit(plan.rgb["body"], shade))
    whole = body if "body" not in canvas.removed else None
    if "breast" in canvas.removed:
        return whole
    front = np.concatenate(
        [
            center + rh * np.array([(0.40, 0.70), (0.95, 0.8)]),
            _rotated(pose, [(0.68, 0.05), (0.54, 0.42 * k), (0.10, 0.54 * k), (-0.34, 0.42 * k), (-0.24, 0.24 * k)]),
            _rotated(pose, [(0.02, 0.15 * k), (0.20, 0.05 * k), (0.29, -0.10 * k)]),
        ]
    )
    breast = canvas.cover([at(spline(front))], pad=1 + int(0.04 * px))
    if breast is None:
        return whole
    soft = Cover(breast.left, breast.top, canvas.blur(breast, 0.06 * px))
    clipped = soft.within(body)
    if clipped is not None:
        inside = shade[clipped.top - body.top :, clipped.left - body.left :]
        inside = inside[: clipped.alpha.shape[0], : clipped.alpha.shape[1]]
        canvas.paint("breast", clipped, canvas.lit(plan.rgb["breast"], inside * np.float32(0.6) + np.float32(0.10)))
    return whole


def _eye(canvas: Canvas, plan: Plan, on_head: plumage.Place, rh: float) -> None:
    if "eye" in canvas.removed:
        return
    head = np.array(plan.rgb["head"], np.float32)
    pale = (
        head * np.float32(0.4) + np.array((0.60, 0.57, 0.52), np.float32)
        if head.sum() < 2.3
        else head * np.float32(0.55)
    )
    x, y = 0.38 * rh, -0.16 * rh
    canvas.paint(None, canvas.cover([on_head(ellipse(x, y, 0.31 * rh, 0.30 * rh, n=20))]), pale)
    canvas.paint(
        "eye", canvas.cover([on_head(ellipse(x + 0.02 * rh, y, 0.235 * rh, 0.235 * rh, n=20))]), plan.rgb["eye"]
    )
    glint = canvas.cover([on_head(ellipse(x + 0.09 * rh, y - 0.10 * rh, 0.08 * rh, 0.08 * rh, n=10))])
    canvas.paint(None, glint, (1.0, 1.0, 1.0))


def _legs(canvas: Canvas, plan: Plan, at: Frame) -> None:
    pose, hip = plan.pose, _hip(plan.pose)
    outlines = []
    for shift in (-0.055, 0.055):
        top: Points = hip + vec(shift - 0.02, -0.08)
        if pose.support == "air":  # tucked back in flight
            foot = hip + vec(shift - 0.30, 0.15)
            outlines.append(ribbon(np.array([top, hip + vec(shift - 0.10, 0.12), foot]), [0.08, 0.05, 0.04]))
            toes = ((math.pi - 0.5, 0.10), (math.pi, 0.10), (math.pi + 0.4, 0.08))
        else:
            foot = hip + vec(0.03 + shift, pose.leg)
            outlines.append(
                ribbon(np.array([top, hip + vec(shift - 0.05, 0.42 * pose.leg), foot]), [0.085, 0.046, 0.040])
            )
            toes = ((0.12, 0.12), (-0.02, 0.075), (math.pi - 0.1, 0.06))
        outlines += [ribbon(arc(foot[0], foot[1] - 0.012, a, n, 0.5, 4), [0.036, 0.036, 0.03, 0.018]) for a, n in toes]
    cover = canvas.cover([at(o) for o in outlines])
    if cover is not None:
        canvas.paint("legs", cover, canvas.lit(plan.rgb["legs"], canvas.volume(cover, 0.2)))

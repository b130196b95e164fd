"""A step length along a direction that satisfies the strong Wolfe conditions.

Nocedal and Wright 2006, algorithms 3.5 (bracketing) and 3.6 (zoom), with cubic interpolation (equation 3.59) and the
safeguards of Schmidt's minFunc, which PyTorch follows too.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

__all__ = ["Point", "strong_wolfe"]


class Point(NamedTuple):
    """The function at ``x + t d``: its value, its gradient, and the slope along d."""

    t: float
    value: float
    slope: float
    gradient: Any


def cubic_minimum(a: Point, b: Point, low: float, high: float) -> float:
    """The minimum in [low, high] of the cubic that has the values and slopes of both points (equation 3.59)."""
    if a.t > b.t:
        a, b = b, a
    d1 = a.slope + b.slope - 3 * (a.value - b.value) / (a.t - b.t)
    square = d1 * d1 - a.slope * b.slope
    if not square >= 0:
        return (low + high) / 2
    d2 = square**0.5
    denominator = b.slope - a.slope + 2 * d2
    if denominator == 0:
        return (low + high) / 2
    return min(max(b.t - (b.t - a.t) * ((b.slope + d2 - d1) / denominator), low), high)


def strong_wolfe(
    evaluate: Callable[[float], Point],
    start: Point,
    t: float,
    *,
    size: float,
    c1: float = 1e-4,
    c2: float = 0.9,
    tolerance: float = 1e-9,
    max_steps: int = 25,
) -> tuple[Point, int]:
    """The point found, and how often ``evaluate`` was called.

    ``start`` is the point at t = 0, ``t`` the first length to try, ``size`` the largest component of the direction:
    a bracket that moves nothing by more than ``tolerance`` ends the search.
    """

    def too_high(point: Point) -> bool:
        return point.value > start.value + c1 * point.t * start.slope  # the sufficient decrease of Armijo

    def flat(point: Point) -> bool:
        return abs(point.slope) <= -c2 * start.slope  # the curvature condition

    point, previous = evaluate(t), start
    steps = 0
    while steps < max_steps:
        if too_high(point) or (steps > 1 and point.value >= previous.value):
            break
        if flat(point):
            return point, steps + 1
        if point.slope >= 0:
            break
        t = cubic_minimum(previous, point, point.t + 0.01 * (point.t - previous.t), 10 * point.t)
        previous, point = point, evaluate(t)
        steps += 1
    else:
        previous = start
    found, more = _zoom(evaluate, [previous, point], too_high, flat, size, tolerance, max_steps - steps)
    return found, 1 + steps + more


def _zoom(
    evaluate: Callable[[float], Point],
    bracket: list[Point],
    too_high: Callable[[Point], bool],
    flat: Callable[[Point], bool],
    size: float,
    tolerance: float,
    max_steps: int,
) -> tuple[Point, int]:
    """Narrow a bracket that holds a point which satisfies the conditions."""
    low = 0 if bracket[0].value <= bracket[1].value else 1
    stalled = False
    for steps in range(max_steps):
        left, right = sorted(p.t for p in bracket)
        if (right - left) * size < tolerance:
            return bracket[low], steps
        t = cubic_minimum(bracket[0], bracket[1], left, right)
        # Twice close to a boundary, or on it, is no progress: move inside by a tenth of the bracket.
        margin = 0.1 * (right - left)
        if min(right - t, t - left) < margin:
            if stalled or t >= right or t <= left:
                t = right - margin if right - t < t - left else left + margin
                stalled = False
            else:
                stalled = True
        else:
            stalled = False
        point = evaluate(t)
        if too_high(point) or point.value >= bracket[low].value:
            bracket[1 - low] = point
            low = 0 if bracket[0].value <= bracket[1].value else 1
            continue
        if flat(point):
            return point, steps + 1
        if point.slope * (bracket[1 - low].t - bracket[low].t) >= 0:
            bracket[1 - low] = bracket[low]
        bracket[low] = point
    return bracket[low], max(max_steps, 0)

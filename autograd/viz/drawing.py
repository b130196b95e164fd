"""How it looks: colours, labels and the legend of a scene in Graphviz's language."""

import math
from html import escape

from .picture import Picture
from .scene import Box, Group, Scene

__all__ = ["draw"]

FONT = "Arial"  # or Liberation Sans, which is as wide; a picture made with the one is right in the other
INK, FAINT, GRADIENT = "#1e293b", "#94a3b8", "#ea580c"
STYLES = {  # kind: (fill, outline, shape, style)
    "leaf": ("#dbeafe", "#2563eb", "box", "rounded,filled"),
    "data": ("#f1f5f9", "#94a3b8", "box", "rounded,filled,dashed"),
    "op": ("#ffffff", "#475569", "box", "rounded,filled"),
    "output": ("#ffffff", "#94a3b8", "box", "rounded,filled"),
    "loss": ("#be123c", "#be123c", "box", "rounded,filled"),
    "rest": ("#fef9c3", "#ca8a04", "note", "filled"),
}
GROUPS = ("#f8fafc", "#eef2f7")  # by turns, so that a module inside another stands out
HEATS = ("#fff7ed", "#ffedd5", "#fed7aa", "#fdba74", "#fb923c")  # a decade each, up to the largest gradient


def draw(scene: Scene, direction: str, legend: bool) -> Picture:
    """The picture of a scene."""
    picture = Picture(name="backprop")
    picture.attr(
        rankdir=direction, fontname=FONT, fontsize="11", fontcolor=FAINT, bgcolor="white", pad="0.2",
        ranksep="0.35", nodesep="0.25", tooltip="backpropagation graph",
    )  # fmt: skip
    picture.attr("node", fontname=FONT, fontsize="12", fontcolor=INK, margin="0.08,0.04", height="0.3", penwidth="1.2")
    picture.attr("edge", color=FAINT, arrowsize="0.6", penwidth="1.1")
    hottest = max((g for g in _gradients(scene.root) if math.isfinite(g)), default=0.0)
    if legend:
        picture.attr(label=_legend(any(True for _ in _gradients(scene.root))), labelloc="b", labeljust="c")
    _draw_group(picture, scene.root, hottest, 0, "")
    for tail, head, back in scene.arrows:
        if back:
            # Two lines in parallel: the first colour's arrow is at the head, the second's at the tail. The weight
            # keeps the way from operation to operation straight.
            weight = "1" if tail.startswith("leaf") else "8"
            picture.edge(tail, head, color=f"{FAINT}:{GRADIENT}", dir="both", arrowtail="normal", weight=weight)
        else:
            picture.edge(tail, head, style="dashed")
    return picture


def _gradients(group: Group) -> list[float]:
    found = [box.gradient for box in group.boxes if box.gradient is not None]
    return found + [g for inner in group.groups.values() for g in _gradients(inner)]


def _draw_group(picture: Picture, group: Group, hottest: float, depth: int, path: str) -> None:
    for box in group.boxes:
        fill, outline, shape, style = STYLES[box.kind]
        picture.node(
            box.id, label=_label(box, hottest), shape=shape, style=style, fillcolor=fill, color=outline,
            tooltip=box.tooltip or box.title,
        )  # fmt: skip
    for number, inner in enumerate(group.groups.values()):
        name = f"{path}_{number}"
        with picture.subgraph(name=f"cluster{name}") as cluster:
            cluster.attr(
                label=inner.title, labelloc="t", labeljust="l", style="rounded,filled", fillcolor=GROUPS[depth % 2],
                color="#cbd5e1", fontcolor="#64748b", margin="10", tooltip=inner.title,
            )  # fmt: skip
            _draw_group(cluster, inner, hottest, depth + 1, name)


def _label(box: Box, hottest: float) -> str:
    light = box.kind == "loss"
    ink, faint = ("white", "#fecdd3") if light else (INK, "#64748b")
    rows = [f'<td><font color="{ink}"><b>{escape(box.title)}</b></font></td>']
    if box.detail:
        rows.append(f'<td><font color="{faint}" point-size="10">{escape(box.detail)}</font></td>')
    if box.gradient is not None:
        colour, text = _heat(box.gradient, hottest), f"‖grad‖ {box.gradient:.3g}"
        rows.append(f'<td bgcolor="{colour}"><font color="#9a3412" point-size="10">{text}</font></td>')
    body = "".join(f"<tr>{row}</tr>" for row in rows)
    return f'<<table border="0" cellborder="0" cellspacing="0" cellpadding="2">{body}</table>>'


def _heat(gradient: float, hottest: float) -> str:
    """A colour for the size of a gradient, as seen from the largest: a shade for each power of ten."""
    if not math.isfinite(gradient):
        return "#f87171"
    if gradient == 0 or hottest == 0:
        return HEATS[0]
    return HEATS[max(0, len(HEATS) - 1 - int(math.log10(hottest / gradient)))]


def _legend(gradients: bool) -> str:
    """One line under the picture: what each kind of box is, and which arrows gradients take."""

    def chip(kind: str, text: str) -> str:
        fill, outline, *_ = STYLES[kind]
        ink = "white" if kind == "loss" else INK
        return f'<td bgcolor="{fill}" color="{outline}" border="1"><font color="{ink}">{text}</font></td>'

    def words(colour: str, text: str) -> str:
        return f'<td><font color="{colour}">{text}</font></td>'

    cells = [chip("leaf", "leaf"), chip("data", "data"), chip("op", "operation"), chip("loss", "loss")]
    cells += [words("#64748b", "→ values"), words(GRADIENT, "← gradients")]
    if gradients:
        cells += [f'<td bgcolor="{colour}">  </td>' for colour in HEATS]
        cells += [words("#9a3412", "‖grad‖, a shade darker: ten times larger")]
    return f'<<table border="0" cellborder="0" cellspacing="4" cellpadding="3"><tr>{"".join(cells)}</tr></table>>'

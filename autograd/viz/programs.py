"""How a compiled program looks: its steps in their order, and what passes between them."""

from html import escape
from typing import Any

from .drawing import FAINT, FONT, INK
from .picture import Picture

__all__ = ["draw_program"]

STYLES = {  # what a step is: (fill, outline)
    "Group": ("#ffedd5", "#ea580c"),
    "Product": ("#dbeafe", "#2563eb"),
    "KernelCall": ("#ede9fe", "#7c3aed"),
    "UpdateCall": ("#dcfce7", "#16a34a"),
    "Call": ("#fee2e2", "#dc2626"),
}
NAMES = {"Group": "loop", "Product": "product", "KernelCall": "kernel", "UpdateCall": "update", "Call": "ordinary call"}
PLAIN = ("#f1f5f9", FAINT)


def draw_program(variant: Any, direction: str) -> Picture:
    """The picture of one program of a compiled function."""
    program = variant.runner.program
    picture = Picture(name="program")
    picture.attr(rankdir=direction, fontname=FONT, fontsize="11", bgcolor="white", pad="0.2", ranksep="0.3")
    picture.attr(
        "node", fontname=FONT, fontsize="12", fontcolor=INK, shape="box", style="rounded,filled", margin="0.1,0.05"
    )
    picture.attr("edge", color=FAINT, arrowsize="0.6")
    kinds = [type(item).__name__ for item in program.items]
    picture.attr(label=_legend(kinds), labelloc="b")
    for memory in program.inputs:
        if memory.kind == "input":
            picture.node(
                _name(memory, program), label=f"argument, {memory.nbytes:,} bytes", fillcolor="white", color=FAINT
            )
    writers: dict[Any, str] = {m: _name(m, program) for m in program.inputs if m.kind == "input"}
    for number, (item, kind) in enumerate(zip(program.items, kinds, strict=True)):
        box = f"step{number}"
        fill, outline = STYLES.get(kind, PLAIN)
        steps = getattr(item, "steps", [item])
        shape = getattr(item, "shape", None) or (item.writes[0].shape if item.writes else ())
        title = "<br/>".join(escape(step.title) for step in steps)
        label = f'<{title}<br/><font color="#64748b" point-size="10">{shape}</font>>'
        picture.node(box, label=label, fillcolor=fill, color=outline, tooltip=steps[0].line)
        for source in dict.fromkeys(writers[r.memory] for r in item.reads if r.memory in writers):
            picture.edge(source, box)
        writers.update((ref.memory, box) for ref in item.writes)
    results = dict.fromkeys(writers[m] for m in program.results if m in writers)
    for number, source in enumerate(results):
        picture.node(f"result{number}", label="result", fillcolor="#be123c", color="#be123c", fontcolor="white")
        picture.edge(source, f"result{number}")
    return picture


def _name(memory: Any, program: Any) -> str:
    return f"argument{program.inputs.index(memory)}"


def _legend(kinds: list[str]) -> str:
    cells = [
        f'<td bgcolor="{STYLES[kind][0]}" color="{STYLES[kind][1]}" border="1">{NAMES[kind]}</td>'
        for kind in dict.fromkeys(kinds)
        if kind in STYLES
    ]
    if not cells:
        return ""
    return f'<<table border="0" cellborder="0" cellspacing="4" cellpadding="3"><tr>{"".join(cells)}</tr></table>>'

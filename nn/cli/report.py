"""What a run leaves beside its network: the metrics, the learning curves, the backprop graph."""

import json
from pathlib import Path
from typing import Any

import autograd

from .data import Rows
from .fit import History, Objective
from .predictor import Predictor

_BLUE, _ORANGE, _GREY = "#2f6fb0", "#e07b39", "#8a8f98"


def write_metrics(metrics: dict[str, Any], path: Path) -> None:
    """The metrics as JSON, a line for each name, or for each name within one."""
    lines = []
    for name, value in metrics.items():
        if isinstance(value, dict):
            inner = ",\n".join(f"    {json.dumps(key)}: {json.dumps(x)}" for key, x in value.items())
            lines.append(f"  {json.dumps(name)}: {{\n{inner}\n  }}")
        else:
            lines.append(f"  {json.dumps(name)}: {json.dumps(value)}")
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


def draw_curves(history: History, objective: Objective, title: str, path: Path) -> None:
    """Loss and score by epoch, of training and validation, side by side in a PNG; the epoch that was kept is marked."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    # Without pyplot nothing global is touched, neither the backend nor the style of a program that calls this.
    layout = ConstrainedLayoutEngine(w_pad=0.15, h_pad=0.1, wspace=0.04)
    figure = Figure(figsize=(10.5, 4.2), layout=layout, facecolor="white")
    FigureCanvasAgg(figure)
    figure.suptitle(title, x=0.02, ha="left", fontsize=13, fontweight="bold", color="#22262b")
    left, right = figure.subplots(1, 2)
    _panel(left, objective.names[0], history.train_loss, history.validation_loss, history.best_epoch)
    _panel(right, objective.names[1], history.train_score, history.validation_score, history.best_epoch)
    figure.legend(
        *left.get_legend_handles_labels(), loc="upper right", bbox_to_anchor=(0.985, 1.0), ncols=3, frameon=False,
        fontsize=9.5, labelcolor="#3a3f46",
    )  # fmt: skip
    figure.savefig(path, dpi=150)


def _panel(axes: Any, name: str, train: list[float], validation: list[float], best: int) -> None:
    epochs = range(1, len(train) + 1)
    marker = "o" if len(train) == 1 else None  # a line needs two points
    axes.plot(epochs, train, color=_ORANGE, lw=1.6, marker=marker, label="training, while learning")
    axes.plot(epochs, validation, color=_BLUE, lw=1.6, marker=marker, label="validation")
    axes.axvline(best, color=_GREY, lw=1, ls=(0, (4, 3)), zorder=0)
    axes.plot(best, validation[best - 1], "o", ms=7, mfc="white", mec=_BLUE, mew=1.8, label=f"kept: epoch {best}")
    axes.set_title(name, loc="left", fontsize=11, color="#22262b")
    axes.set_xlabel("epoch", color=_GREY)
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.grid(axis="y", color="#e6e8eb", lw=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color("#c5c9cf")
    axes.tick_params(colors="#5c626b", length=0, labelsize=9)
    axes.margins(x=0.02)


def draw_graph(predictor: Predictor, objective: Objective, rows: Rows, path: Path) -> str:
    """The backprop graph of the loss of a small batch, as SVG; without graphviz's dot as text, and what is missing.

    Returns what to tell the user, "" if nothing. It is the network in training, so its running statistics change.
    """
    predictor.model.train()
    loss = objective.loss(predictor.model(autograd.from_numpy(rows.x)), autograd.from_numpy(rows.y))
    loss.backward()
    graph = autograd.viz.backprop_graph(loss, model=predictor.model)
    try:
        graph.save(path)
    except RuntimeError as error:
        graph.save(path.with_suffix(".dot"))
        return f"{path.stem}.dot instead of {path.name}: {error}"
    return ""

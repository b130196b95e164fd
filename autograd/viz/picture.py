"""A graph in Graphviz's language that saves itself by the suffix of the file."""

from os import PathLike
from pathlib import Path
from typing import Any

import graphviz

__all__ = ["Picture"]


class Picture(graphviz.Digraph):
    """A `graphviz.Digraph` that a notebook shows and ``save("graph.svg")`` writes, as svg, png, pdf or dot."""

    def save(self, path: Any = None, directory: Any = None, **options: Any) -> str:
        """Write the picture to ``path`` and return the path; the suffix .svg, .png, .pdf or .dot is the format."""
        if "skip_existing" in options:  # graphviz's own render() leaves its text beside the picture
            return super().save(path, directory=directory, **options)
        suffix = Path(path).suffix.lower() if isinstance(path, (str, PathLike)) else ""
        if suffix in (".dot", ".gv"):
            return super().save(path, directory=directory)
        if suffix not in (".svg", ".png", ".pdf"):
            got = repr(path if path is None else str(path))
            raise ValueError(f"save: the suffix must be .svg, .png, .pdf or .dot; got {got}")
        drawn = self.copy()
        if suffix == ".png":
            drawn.graph_attr["dpi"] = "160"
        content = drawn.pipe(format=suffix[1:])
        target = Path(directory or "", path)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        return str(target)

    def pipe(self, format: str | None = None, *args: Any, **options: Any) -> Any:
        """The picture as bytes in the named format, as text with ``encoding=``."""
        try:
            return super().pipe(format, *args, **{"quiet": True, **options})
        except graphviz.ExecutableNotFound:
            raise RuntimeError(
                f"backprop_graph: drawing a picture needs the program dot of Graphviz; got no dot on the PATH for "
                f"{format or self.format}; install it (apt install graphviz, brew install graphviz, "
                "conda install graphviz, winget install graphviz), or save a .dot file"
            ) from None

    def _repr_svg_(self) -> str:
        return self.pipe(format="svg", encoding="utf-8")

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None, **_: Any) -> dict[str, str]:
        """What a notebook shows: the picture, or how to get one."""
        try:
            return {"image/svg+xml": self._repr_svg_()}
        except RuntimeError as error:
            return {"text/plain": str(error)}

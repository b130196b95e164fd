"""The line to watch while a network learns."""

import sys
from types import TracebackType

from tqdm import tqdm

from .fit import History, Objective


class Progress:
    """A bar of the epochs with the newest loss and score; nothing where there is no terminal, or with ``quiet``.

    An object to call after each epoch, within a ``with`` block.
    """

    def __init__(self, epochs: int, objective: Objective, quiet: bool = False) -> None:
        self._objective = objective
        self._bar = tqdm(
            total=epochs,
            file=sys.stderr,
            disable=True if quiet else None,
            bar_format="epoch {n_fmt}/{total_fmt} |{bar:16}| {desc} {elapsed}",
            colour="green",
            dynamic_ncols=True,
        )

    def __call__(self, history: History) -> None:
        loss = history.train_loss[-1]
        text = f"train loss {loss:.4f}  validation {self._objective.show(history.validation_score[-1])} "
        self._bar.set_description_str(text, refresh=False)
        self._bar.update()

    def __enter__(self) -> "Progress":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._bar.close()

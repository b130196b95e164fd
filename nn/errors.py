"""Errors that say which layer of which model they come from."""

from typing import Any

__all__ = ["LayerError"]


class LayerError(RuntimeError):
    """What came does not fit a layer: ``Linear(in_features=3): the last axis of the input must be 3, got (2, 5)``.

    The layer that fails raises it; the outermost module being called adds where in the model that layer is:
    ``Linear(in_features=3) at "hidden.0": ...``.
    """

    def __init__(self, module: Any, layer: str, rule: str) -> None:
        super().__init__(f"{layer}: {rule}")
        self.module = module
        self.layer = layer
        self.rule = rule

    def locate(self, model: Any) -> None:
        """Put the path of the failing layer in ``model`` into the message."""
        for path, module in model.named_modules():
            if module is self.module and path:
                self.args = (f'{self.layer} at "{path}": {self.rule}',)
                return

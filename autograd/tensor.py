"""The tensor: an array, whether it needs a gradient, and where in the graph it came from.

Its operators and methods are bound by the page `methods`; `backward` among them is that of `backprop`.
"""

import weakref
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy import ndarray

from .dtypes import is_float
from .graph import Node, check_gradient
from .hooks import Handle, Hooks
from .modes import enable_grad, intercepting, state

__all__ = ["Tensor", "View", "as_array"]


class Tensor:
    """An array that remembers how it was computed.

    ``array`` is the numpy array itself, ``grad`` the gradient that `backward` left here, ``requires_grad`` whether
    operations on this tensor are recorded, and ``grad_fn`` the graph node it came from (None for a leaf).

    >>> x = Tensor([1.0, 2.0], requires_grad=True)
    >>> (x * x).sum().backward()
    >>> x.grad
    tensor([2., 4.])
    """

    __slots__ = ("__dict__", "__weakref__", "_grad", "_hooks", "_requires_grad", "_version", "_view", "array", "node")
    __array_priority__ = 1000  # ndarray + Tensor is ours to compute

    node: Node | None
    _requires_grad: bool
    _grad: "Tensor | None"
    _hooks: Hooks | None
    _view: "View | None"  # whose memory this is, for a view
    _version: int  # counts the writes in place, for its views

    if TYPE_CHECKING:  # what the page `methods` binds

        def __getattr__(self, name: str) -> Any: ...
        def __getitem__(self, key: Any) -> "Tensor": ...
        def __setitem__(self, key: Any, value: Any) -> None: ...
        def _binary(self, other: Any, /) -> "Tensor": ...
        def _unary(self) -> "Tensor": ...

        __add__ = __sub__ = __mul__ = __truediv__ = __floordiv__ = __mod__ = __pow__ = __matmul__ = _binary
        __radd__ = __rsub__ = __rmul__ = __rtruediv__ = __rfloordiv__ = __rmod__ = __rpow__ = __rmatmul__ = _binary
        __and__ = __or__ = __xor__ = __lshift__ = __rshift__ = _binary
        __rand__ = __ror__ = __rxor__ = __rlshift__ = __rrshift__ = _binary
        __lt__ = __le__ = __gt__ = __ge__ = __eq__ = __ne__ = _binary  # type: ignore[assignment]
        __neg__ = __abs__ = __invert__ = _unary

    def __init__(self, data: Any = (), requires_grad: bool = False) -> None:
        self.array: np.ndarray = data if type(data) is ndarray else as_array(data)
        self.node = self._grad = self._hooks = self._view = None
        self._requires_grad = False
        self._version = 0
        if requires_grad:
            self.requires_grad = True

    # --- what it is ---------------------------------------------------------------------------------------------------

    @property
    def shape(self) -> tuple[int, ...]:
        """The length of each axis."""
        return self.array.shape

    @property
    def dtype(self) -> np.dtype:
        """The number type, a numpy dtype."""
        return self.array.dtype

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return self.array.ndim

    @property
    def device(self) -> str:
        """Always ``"cpu"``."""
        return "cpu"

    @property
    def grad_fn(self) -> Node | None:
        """The node of the operation that made this tensor; None for a leaf."""
        if self._view is not None:
            self._refresh()
        return self.node

    @property
    def is_leaf(self) -> bool:
        """Whether no recorded operation made this tensor."""
        return self.grad_fn is None

    @property
    def requires_grad(self) -> bool:
        """Whether operations on this tensor are recorded. Only a leaf may change it."""
        if self._view is not None:
            self._refresh()
        return self._requires_grad

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        if self.node is not None and not value:
            raise RuntimeError(
                f"requires_grad: only a leaf can change it; got the output of {self.node.op.name}; use detach()"
            )
        if value and not is_float(self.array.dtype):
            raise RuntimeError(f"requires_grad: only a floating dtype has gradients; got {self.array.dtype}")
        self._requires_grad = bool(value)

    @property
    def grad(self) -> "Tensor | None":
        """The gradient accumulated by `backward`, of this tensor's shape; None before."""
        if intercepting and state.tracer is not None:
            state.tracer.note_grad_read(self)
        return self._grad

    @grad.setter
    def grad(self, value: "Tensor | None") -> None:
        if intercepting and state.tracer is not None:
            state.tracer.note_grad(self, assigned=True)
        if value is not None and (value.shape != self.shape or value.dtype != self.dtype):
            raise RuntimeError(
                f"grad: a gradient has the shape and dtype of its tensor; got {value.shape} {value.dtype} "
                f"for {self.shape} {self.dtype}"
            )
        self._grad = value

    @property
    def data(self) -> "Tensor":
        """The same memory outside the graph. Assigning replaces the values, as optimizers of old did."""
        return Tensor(self.array)

    @data.setter
    def data(self, value: "Tensor") -> None:
        self.array = value.array

    # --- backpropagation ----------------------------------------------------------------------------------------------

    def _receive(self, gradient: Any, owned: bool) -> None:
        """Add to ``grad`` what a walk brought here: an array (kept without a copy if it is ``owned``: nobody else holds
        it), or a tensor.
        """
        if intercepting and state.tracer is not None:
            state.tracer.receive(self, gradient)
            return
        check_gradient(gradient, self.array.shape)
        held = self._grad
        if held is None and owned:
            self._grad = Tensor(gradient)
        elif isinstance(gradient, Tensor):
            self._grad = gradient if held is None else held + gradient
        elif held is None:
            self._grad = Tensor(gradient.copy())
        elif held.node is None:
            np.add(held.array, gradient, out=held.array)
        else:
            self._grad = Tensor(held.array + gradient)

    def retain_grad(self) -> None:
        """Keep the gradient of this tensor in ``grad`` although it is no leaf."""
        if not self.requires_grad:
            raise RuntimeError("retain_grad: the tensor must require a gradient; got requires_grad=False")
        if self.node is None or self.retains_grad:
            return
        this = weakref.ref(self)

        def keep(gradient: Tensor) -> None:
            tensor = this()
            if tensor is not None:
                tensor._grad = gradient if tensor._grad is None else tensor._grad + gradient

        keep.retains = this  # type: ignore[attr-defined]
        if self.node.hooks is None:
            self.node.hooks = Hooks()
        self.node.hooks.add(keep)

    @property
    def retains_grad(self) -> bool:
        """Whether `retain_grad` was asked for on this non-leaf tensor."""
        hooks = self.node.hooks if self.node is not None else None
        return hooks is not None and any(hasattr(hook, "retains") for hook in hooks.in_order())

    def register_hook(self, hook: "Callable[[Tensor], Tensor | None]") -> Handle:
        """Call ``hook(gradient)`` whenever the gradient of this tensor is computed; what it returns replaces it.

        Returns a handle whose ``remove()`` takes the hook away.
        """
        if not self.requires_grad:
            raise RuntimeError("register_hook: the tensor must require a gradient; got requires_grad=False")
        if self.node is None:
            hooks = self._hooks = self._hooks if self._hooks is not None else Hooks()
        else:
            hooks = self.node.hooks = self.node.hooks if self.node.hooks is not None else Hooks()
        return hooks.add(hook)

    def detach(self) -> "Tensor":
        """The same values in the same memory, outside the graph."""
        return Tensor(self.array)

    def _refresh(self) -> None:
        """Take up the history of the tensor this is a view of, if that was written to since."""
        view = self._view
        if view is not None and view.root()._version != view.version:
            view.version = view.base._version
            fresh = view.base
            with enable_grad():
                for op, attrs in view.path:
                    fresh = op(fresh, **attrs)
            self.node, self._requires_grad = fresh.node, fresh._requires_grad

    def requires_grad_(self, requires_grad: bool = True) -> "Tensor":
        """Set ``requires_grad`` and return this tensor."""
        self.requires_grad = requires_grad
        return self

    # --- out of the library -------------------------------------------------------------------------------------------

    def numpy(self, *, force: bool = False) -> np.ndarray:
        """The array itself, sharing memory; an error for a tensor that needs a gradient unless ``force``."""
        if self.requires_grad and not force:
            raise RuntimeError("numpy: the tensor needs a gradient; got requires_grad=True; use detach().numpy()")
        if state.tracer is not None:
            state.tracer.refuse(self, "numpy")
        return self.array

    def item(self) -> Any:
        """The one number of a tensor with one element, as a Python number."""
        if self.array.size != 1:
            raise RuntimeError(f"item: the tensor must have one element; got shape {self.shape}; use tolist()")
        if state.tracer is not None:
            state.tracer.refuse(self, "item")
        return self.array.item()

    def tolist(self) -> Any:
        """The values as nested lists of Python numbers."""
        if state.tracer is not None:
            state.tracer.refuse(self, "tolist")
        return self.array.tolist()

    def __float__(self) -> float:
        return float(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __index__(self) -> int:
        if self.array.dtype.kind not in "iub" or self.array.size != 1:
            raise TypeError(
                f"index: only an integer tensor with one element can index; got {self.dtype} of shape {self.shape}"
            )
        return int(self.item())

    def __bool__(self) -> bool:
        if self.array.size != 1:
            raise RuntimeError(f"bool: a tensor of shape {self.shape} is neither true nor false; use any() or all()")
        if state.tracer is not None:
            state.tracer.refuse(self, "bool")
        return bool(self.array.item())

    def __len__(self) -> int:
        if not self.array.ndim:
            raise TypeError("len: a 0-d tensor has no length")
        return len(self.array)

    def __iter__(self) -> "Iterator[Tensor]":
        if not self.array.ndim:
            raise TypeError("iter: a 0-d tensor can't be iterated over; use item()")
        return (self[i] for i in range(len(self.array)))

    __hash__ = object.__hash__  # __eq__ compares elements

    def __repr__(self) -> str:
        from .printing import describe

        return describe(self)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self.numpy(), dtype=dtype, copy=copy)

    def __reduce__(self) -> tuple:
        if self.node is not None:
            raise RuntimeError("pickle: only a leaf can be copied or pickled; got a tensor with a graph; detach() it")
        return type(self)._rebuild, (self.array, self._requires_grad)

    @classmethod
    def _rebuild(cls, array: np.ndarray, requires_grad: bool) -> "Tensor":
        from .creation import in_our_dtype

        if not array.flags.writeable:  # joblib hands out memory that it has mapped; a tensor can be changed in place
            array = np.array(array)
        return cls(in_our_dtype(array), requires_grad=requires_grad)

    def __deepcopy__(self, memo: dict) -> "Tensor":
        if self.node is not None:
            raise RuntimeError("deepcopy: only a leaf can be copied; got a tensor with a graph; detach() it")
        copy = memo[id(self)] = type(self)._rebuild(self.array.copy(), self._requires_grad)
        copy._grad = None if self._grad is None else Tensor(self._grad.array.copy())
        return copy


def as_array(data: Any) -> np.ndarray:
    """An array of the values with PyTorch's dtypes: Python floats become the default dtype, numpy's stay."""
    if isinstance(data, Tensor):
        return data.array
    if isinstance(data, (np.ndarray, np.generic)):
        return np.asarray(data)
    return _from_sequence(data)


def _from_sequence(data: Any) -> np.ndarray:
    from .creation import from_sequence

    return from_sequence(data)


class View:
    """Of which tensor another one is a view, by which operations, and the version of it whose history the view has."""

    __slots__ = ("base", "path", "version")

    def __init__(self, base: Tensor, path: tuple[tuple[Any, dict], ...]) -> None:
        self.base = base
        self.path = path
        self.version = base._version

    def root(self) -> Tensor:
        """The tensor whose memory it is. One that took another shape in place has become a view of what it was before,
        and that is the base from now on.
        """
        above = self.base._view
        if above is not None:
            self.base = above.base
        return self.base

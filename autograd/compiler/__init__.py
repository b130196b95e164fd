"""`compile`: a function of tensors as one program of machine code.

    @autograd.compile
    def step(x, y):
        loss = nn.functional.cross_entropy(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss

The first call runs the function as it stands, watched: `trace` writes down every operation as a step that reads and
writes memory. `fuse` puts the steps in order and makes one loop of elementwise ones, `memory` finds a place for what
lies between steps, `loops` and `emit` print the text that numba compiles, and `run` calls it from then on.
"""

from .function import Compiled, compile

__all__ = ["Compiled", "compile"]

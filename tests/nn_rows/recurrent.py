"""Recurrent cells and networks."""

from nn_table import module
from samples import x

for _name in ("RNNCell", "GRUCell"):
    module(_name, 3, 2, inputs=[(x(4, 3), x(4, 2)), (x(4, 3),), (x(3), x(2))])
    module(_name, 3, 2, False, inputs=[(x(4, 3), x(4, 2))])
module("RNNCell", 3, 2, nonlinearity="relu", inputs=[(x(4, 3), x(4, 2))])
module("LSTMCell", 3, 2, inputs=[(x(4, 3), (x(4, 2), x(4, 2, seed=1))), (x(4, 3),), (x(3),)], options={"check": False})

ONCE = {"second": False}
for _name in ("RNN", "GRU"):
    module(_name, 3, 2, inputs=[(x(4, 2, 3), x(1, 2, 2)), (x(4, 3), x(1, 2)), (x(4, 2, 3),)], options=ONCE)
    module(_name, 3, 2, 2, batch_first=True, bidirectional=True, inputs=[(x(2, 3, 3), x(4, 2, 2))], options=ONCE)
    module(_name, 3, 2, 2, bias=False, dropout=0.5, inputs=[(x(3, 2, 3),)], options={**ONCE, "training": [False]})
module("RNN", 3, 2, nonlinearity="relu", inputs=[(x(4, 2, 3),)], options=ONCE)
LSTM = {**ONCE, "check": False}
module("LSTM", 3, 2, inputs=[(x(4, 2, 3), (x(1, 2, 2), x(1, 2, 2, seed=1))), (x(4, 2, 3),), (x(4, 3),)], options=LSTM)
module("LSTM", 3, 4, 2, bidirectional=True, proj_size=2, batch_first=True, inputs=[(x(2, 3, 3),)], options=LSTM)

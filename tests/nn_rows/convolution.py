"""Convolutions and pooling."""

from nn_table import module
from samples import x

LONG = {"second": False}  # the operations' own tests check second derivatives

for _rank, _size in ((1, (6,)), (2, (4, 5)), (3, (3, 3, 4))):
    _plain, _single = x(2, 2, *_size), x(2, *_size)
    _conv, _transpose = f"Conv{_rank}d", f"ConvTranspose{_rank}d"
    module(_conv, 2, 3, 2, inputs=[_plain, _single], options=LONG)
    module(_conv, 2, 4, (3, 2, 2)[:_rank], 2, 1, groups=2, bias=False, inputs=[_plain], options=LONG)
    module(_conv, 2, 2, 3, padding="same", padding_mode="circular", inputs=[_plain], options=LONG)
    module(_conv, 2, 2, 2, padding=1, dilation=2, padding_mode="replicate", inputs=[_plain], options=LONG)
    module(_transpose, 2, 3, 2, inputs=[_plain, _single], options=LONG)
    module(_transpose, 2, 4, 3, 2, 1, 1, groups=2, inputs=[_plain], options=LONG)
    module(_transpose, 2, 2, 2, dilation=2, bias=False, inputs=[_plain], options=LONG)
    module(f"MaxPool{_rank}d", 2, inputs=[_plain, _single], options=LONG)
    module(f"MaxPool{_rank}d", 3, 2, 1, ceil_mode=True, inputs=[_plain], options=LONG)
    module(f"AvgPool{_rank}d", 2, inputs=[_plain, _single], options=LONG)
    module(f"AvgPool{_rank}d", 3, 2, 1, True, False, inputs=[_plain], options=LONG)
    module(f"AdaptiveAvgPool{_rank}d", 2, inputs=[_plain, _single], options=LONG)
    module(f"AdaptiveMaxPool{_rank}d", 2, inputs=[_plain, _single], options=LONG)
    module(f"LPPool{_rank}d", 2, 2, inputs=[x(2, 2, *_size, low=0.1)], options=LONG)

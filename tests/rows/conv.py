"""Convolution, pooling and padding."""

import numpy as np
import torch
import torch.nn.functional as F
from samples import call, row, x

PLAIN = {"method": False, "terms": 1.0}

for _rank, _size in ((1, (7,)), (2, (4, 5)), (3, (3, 3, 4))):
    _k = (3, 2, 2)[:_rank]
    row(
        f"conv{_rank}d",
        call(x(2, 3, *_size), x(4, 3, *_k), x(4)),
        call(x(3, *_size), x(2, 3, *_k)),
        call(x(2, 4, *_size), x(6, 2, *_k), x(6), stride=2, padding=1, groups=2),
        call(x(1, 2, *_size), x(2, 2, *(3,) * _rank), padding="same", dilation=1),
        call(x(1, 2, *_size), x(2, 1, *(2,) * _rank), dilation=2, groups=2, padding=(1,) * _rank),
        **PLAIN,
    )
    row(
        f"conv_transpose{_rank}d",
        call(x(2, 3, *_size), x(3, 2, *_k), x(2)),
        call(x(3, *_size), x(3, 2, *_k), stride=2, padding=1, output_padding=1),
        call(x(2, 4, *_size), x(4, 3, *_k), x(6), groups=2, dilation=2),
        **PLAIN,
    )
    row(
        f"max_pool{_rank}d",
        call(x(2, 3, *_size), 2),
        call(x(3, *_size), 3, stride=2, padding=1),
        call(x(1, 2, *_size), 2, ceil_mode=True),
        call(x(1, 2, *_size), 2, 1, 0, 2),
        call(x(1, 2, *_size), 2, return_indices=True),
        oracle=getattr(F, f"max_pool{_rank}d"),
        **PLAIN,
    )
    _more = {} if _rank == 1 else {"divisor_override": 3}
    row(
        f"avg_pool{_rank}d",
        call(x(2, 3, *_size), 2),
        call(x(3, *_size), 3, stride=2, padding=1),
        call(x(1, 2, *_size), 3, 2, 1, True, False),
        call(x(1, 2, *_size), 3, 2, 1, True, True),
        call(x(1, 2, *_size), 2, **_more),
        oracle=getattr(F, f"avg_pool{_rank}d"),
        **PLAIN,
    )
    row(
        f"adaptive_avg_pool{_rank}d",
        call(x(2, 3, *_size), 2),
        call(x(3, *_size), (3, None, 4)[:_rank]),
        oracle=getattr(F, f"adaptive_avg_pool{_rank}d"),
        **PLAIN,
    )
    row(
        f"adaptive_max_pool{_rank}d",
        call(x(2, 3, *_size), 2),
        call(x(3, *_size), (2, 3, 4)[:_rank], return_indices=True),
        oracle=getattr(F, f"adaptive_max_pool{_rank}d"),
        **PLAIN,
    )
    _x = torch.from_numpy(x(2, 3, *(6,) * _rank))
    _values, _indices = getattr(F, f"max_pool{_rank}d")(_x, 2, return_indices=True)
    row(
        f"max_unpool{_rank}d",
        call(_values.numpy(), _indices.numpy(), 2),
        call(_values.numpy(), _indices.numpy(), 2, output_size=(7,) * _rank),
        oracle=getattr(F, f"max_unpool{_rank}d"),
        **PLAIN,
    )
    row(
        f"lp_pool{_rank}d",
        call(x(2, 3, *_size, low=0.1), 2, 2),
        call(x(2, 3, *_size, low=0.1), 3, 2, stride=1),
        oracle=getattr(F, f"lp_pool{_rank}d"),
        **PLAIN,
    )

MANY = {"method": False, "terms": 10.0, "gradcheck": False}  # sums of up to 200 terms

# Enough channels for every height of a tile, several groups of images, steps that are copied by vectors and others.
row(
    "conv2d",
    call(x(3, 3, 9, 20), x(15, 3, 3, 3), x(15), padding=1),
    call(x(2, 15, 5, 18), x(9, 15, 1, 1), x(9)),
    call(x(2, 15, 5, 18), x(9, 15, 1, 1), stride=2),
    call(x(40, 2, 6, 6), x(3, 2, 3, 3), x(3), padding=1),
    call(x(2, 6, 11, 37), x(6, 1, 3, 5), x(6), stride=(1, 2), padding=(0, 2), groups=6),
    call(x(2, 4, 13, 14), x(12, 2, 3, 3), x(12), stride=3, padding=(2, 1), dilation=(1, 2), groups=2),
    call(x(2, 2, 8, 7), x(2, 2, 4, 3), padding="same", dilation=(2, 1)),
    call(x(2, 2, 8, 7), x(2, 2, 4, 3), padding="valid", stride=(2, 3)),
    call(x(2, 2, 3, 3), x(2, 2, 3, 3), padding=5),
    call(x(1, 1, 30, 40), x(2, 1, 3, 3), padding=1),
    call(x(0, 2, 5, 5), x(3, 2, 3, 3), x(3)),
    call(x(2, 3, 5, 6).swapaxes(2, 3), x(4, 3, 3, 2).swapaxes(2, 3), x(4)),
    **MANY,
)
row(
    "conv1d",
    call(x(2, 16, 64), x(20, 16, 5), x(20), padding=2),
    call(x(2, 8, 70), x(8, 1, 5), x(8), stride=2, groups=8),
    call(x(2, 2, 40), x(3, 2, 3), stride=4, padding=3),
    **MANY,
)
row(
    "conv_transpose2d",
    call(x(2, 12, 5, 9), x(12, 9, 4, 4), x(9), stride=2, padding=1),
    call(x(2, 8, 4, 5), x(8, 2, 2, 2), x(8), stride=2, groups=4),
    call(x(2, 3, 4, 5), x(3, 2, 1, 1), x(2), stride=3),
    call(x(2, 3, 4, 5), x(3, 2, 3, 3), stride=(1, 3), padding=(2, 0), output_padding=(0, 2)),
    **MANY,
)
row(
    "max_pool2d",
    call(x(2, 3, 9, 40), 2),
    call(x(2, 3, 9, 39), 3, 2, 1),
    call(x(2, 2, 9, 40), (2, 3), (1, 3), (1, 1), (1, 2), True, True),
    call(np.round(x(2, 3, 9, 10)), 3, 1, return_indices=True),
    call(np.where(x(2, 3, 6, 20) > 1, np.nan, x(2, 3, 6, 20)), 3, 1, return_indices=True),
    call(np.where(x(2, 3, 6, 20) > -1, -np.inf, 0.0), 3, 2, 1, return_indices=True),
    gradcheck=False,
    oracle=F.max_pool2d,
    **PLAIN,
)
row(
    "adaptive_max_pool2d",
    call(x(2, 3, 9, 40), (5, 19), return_indices=True),
    call(x(2, 3, 4, 5), 1, return_indices=True),
    call(np.where(x(2, 3, 4, 5) > 1, np.nan, x(2, 3, 4, 5)), 1, return_indices=True),
    gradcheck=False,
    oracle=F.adaptive_max_pool2d,
    **PLAIN,
)
row(
    "avg_pool2d",
    call(x(2, 3, 9, 40), 3, 1, 1),
    call(x(2, 2, 4, 5), (4, 5)),
    call(x(2, 2, 4, 5), (4, 5), divisor_override=7),
    oracle=F.avg_pool2d,
    gradcheck=False,
    **PLAIN,
)
row(
    "adaptive_avg_pool2d",
    call(x(2, 3, 4, 5), 1),
    call(x(2, 3, 9, 40), (5, 19)),
    oracle=F.adaptive_avg_pool2d,
    gradcheck=False,
    **PLAIN,
)
row(
    "pad",
    call(x(2, 3), (1, 2)),
    call(x(2, 3), (1, 2, 0, 3), value=1.5),
    call(x(2, 4), (-1, 2)),
    call(x(2, 4), (-1, -2, 1, -1)),
    *[call(x(1, 2, 4, 5), (2, 1, 1, 3), mode=mode) for mode in ("reflect", "replicate", "circular")],
    call(x(2, 4), (3, 2), mode="reflect"),
    oracle=F.pad,
    **PLAIN,
)

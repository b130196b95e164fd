"""Convolution, pooling and padding."""

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

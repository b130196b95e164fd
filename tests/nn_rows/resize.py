"""Windows as columns, and other sizes."""

from nn_table import module
from samples import x

module("Unfold", 2, inputs=[x(2, 2, 3, 4), x(2, 3, 4)])
module("Unfold", (2, 3), 1, (1, 0), 2, inputs=[x(2, 2, 4, 5)])
module("Fold", (3, 4), 2, inputs=[x(2, 8, 6), x(8, 6)])
module("Fold", (4, 4), (2, 1), 2, 1, 2, inputs=[x(1, 4, 6)])

for _mode, _sizes in (
    ("linear", [(5,)]), ("bilinear", [(3, 4)]), ("bicubic", [(3, 4)]), ("trilinear", [(2, 3, 2)]),
):  # fmt: skip
    for _size in _sizes:
        for _align in (False, True):
            module("Upsample", scale_factor=2, mode=_mode, align_corners=_align, inputs=[x(1, 2, *_size)])
            module("Upsample", scale_factor=1.7, mode=_mode, align_corners=_align, inputs=[x(1, 2, *_size)])
            module("Upsample", size=(3, 7, 4)[: len(_size)], mode=_mode, align_corners=_align, inputs=[x(1, 2, *_size)])
for _mode in ("nearest", "nearest-exact"):
    for _size in ((5,), (3, 4), (2, 3, 2)):
        module("Upsample", scale_factor=1.6, mode=_mode, inputs=[x(1, 2, *_size)])
        module("Upsample", size=(3, 7, 4)[: len(_size)], mode=_mode, inputs=[x(1, 2, *_size)])
module("Upsample", size=(2, 3), mode="area", inputs=[x(1, 2, 5, 4)])
module("UpsamplingNearest2d", scale_factor=2, inputs=[x(1, 2, 2, 3)])
module("UpsamplingBilinear2d", scale_factor=2, inputs=[x(1, 2, 2, 3)])

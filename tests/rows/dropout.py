"""Dropout where it draws nothing, or drops everything; tests/test_random.py has the rest."""

from samples import call, row, x

row("dropout", call(x(2, 3), 0.5, False), call(x(2, 3), 0.0, True), call(x(2, 3), 1.0, True), method=False)

"""Dropout where it draws nothing; tests/test_random.py has the rest."""

from samples import call, row, x

row("dropout", call(x(2, 3), 0.5, False), call(x(2, 3), 0.0, True), method=False)

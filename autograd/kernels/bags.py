"""Rows of a table, looked up and pooled in bags: bag b has the places starts[b] to starts[b + 1] of ``index``."""

from .hand import kernel
from .language import F, prange

__all__ = ["add_to_rows", "find_fall", "largest_of_rows", "products_of_rows", "sum_of_rows"]


@kernel
def find_fall(like, starts, count, status):
    """``status`` is 1 if the starts do not rise from 0 or more to ``count`` at most; of ``like`` the type counts."""
    last, falls = 0, starts.size == 0
    for b in range(starts.size):
        falls |= starts[b] < last
        last = starts[b]
    status[0] = falls or last > count


@kernel
def sum_of_rows(table, index, starts, factors, skip, mean, out, shares):
    """The sum of factor times row, in ``out``, or the mean, and what each row counts in it, in ``shares``; a place that
    names the row ``skip`` is left out.
    """
    for b in prange(out.shape[0]):
        total = out[b]
        for k in range(total.size):
            total[k] = F(0)
        count = 0
        for i in range(starts[b], starts[b + 1]):
            count += index[i] != skip
        share = F(1) / F(count) if mean and count else F(1)
        for i in range(starts[b], starts[b + 1]):
            shares[i] = F(0) if index[i] == skip else share * factors[i]
            if index[i] != skip:
                row = table[index[i]]
                by = shares[i]
                for k in range(total.size):
                    total[k] += by * row[k]


@kernel
def add_to_rows(g, index, starts, shares, skip, dtable):
    """What undoes the sum: the gradient of each bag added to its rows."""
    for b in range(g.shape[0]):
        grad = g[b]
        for i in range(starts[b], starts[b + 1]):
            if index[i] != skip:
                row = dtable[index[i]]
                by = shares[i]
                for k in range(grad.size):
                    row[k] += by * grad[k]


@kernel
def products_of_rows(g, table, index, starts, skip, dfactors):
    """The gradient of the factors of a sum: the products of the gradient of the bag with the rows."""
    for b in prange(g.shape[0]):
        grad = g[b]
        for i in range(starts[b], starts[b + 1]):
            product = F(0)
            if index[i] != skip:
                row = table[index[i]]
                for k in range(grad.size):
                    product += grad[k] * row[k]
            dfactors[i] = product


@kernel
def largest_of_rows(table, index, starts, skip, out, places):
    """The largest of each column and the row it is in, 0 and -1 where a bag is empty."""
    for b in prange(out.shape[0]):
        best = out[b]
        place = places[b]
        for k in range(best.size):
            best[k] = F(0)
            place[k] = -1
        for i in range(starts[b], starts[b + 1]):
            if index[i] != skip:
                row = table[index[i]]
                for k in range(best.size):
                    won = (place[k] < 0) | (row[k] > best[k]) | ((row[k] != row[k]) & (best[k] == best[k]))
                    best[k] = row[k] if won else best[k]
                    place[k] = index[i] if won else place[k]

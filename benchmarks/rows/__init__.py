"""The rows of the table, one file a family. A new row is one entry in its family's `ROWS`."""

from benchmarks.rows import (
    attention,
    chain,
    data,
    elementwise,
    estimators,
    mlp,
    networks,
    optimizer,
    reductions,
    startup,
)
from benchmarks.rows.row import Row

FAMILIES = (mlp, networks, attention, elementwise, reductions, optimizer, chain, data, startup, estimators)

ROWS: dict[str, Row] = {row.name: row for family in FAMILIES for row in family.ROWS}

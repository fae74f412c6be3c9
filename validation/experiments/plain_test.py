"""The plain test accuracy, beside the strict one that decides."""

from typing import Any

import numpy as np

from phase_diagrams import PhaseDiagram, Source
from phase_diagrams.runs.summary import curve_columns

_COLUMN = "plain_test_accuracy"


def plain_test_rows(diagram: PhaseDiagram) -> list[dict[str, Any]]:
    """Return the rows of a diagram of networks with the plain test accuracy beside each run.

    ``plain_test_step`` is the first update with the accuracy over all test pairs, mirrors of
    training pairs among them, at the threshold of the strict one; None for never. The curves that
    a store keeps have that update whatever else they leave out.
    """
    spec, rows = diagram.spec, diagram.rows()
    place = curve_columns(spec.system).index(_COLUMN)
    measured = diagram.source.ravel() == Source.MEASURED
    cells = [cell for cell, there in zip(spec.cells(), measured, strict=True) if there]
    runs = iter([summary for _, summary in diagram.require_kept().find(cells)])
    for row, there in zip(rows, measured, strict=True):
        summary = next(runs) if there else None
        row["plain_test_step"] = row["best_plain_test_accuracy"] = None
        if summary is not None and len(summary.curve):
            plain = summary.curve[:, place]
            reached = np.flatnonzero(plain >= spec.model.test_threshold)
            if len(reached):
                row["plain_test_step"] = int(summary.curve[reached[0], 0])
            row["best_plain_test_accuracy"] = round(float(plain.max()), 4)
    return rows

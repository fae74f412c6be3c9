"""The plain test accuracy, beside the strict one that decides."""

from typing import Any

from phase_diagrams import PhaseDiagram, Source
from phase_diagrams.runs.summary import curve_columns
from validation.experiments.outcomes import or_none
from validation.training.curve import first_reached

_COLUMN = "plain_test_accuracy"
_BEST = ("best_train_accuracy", "best_test_accuracy", "best_plain_test_accuracy")


def plain_test_rows(diagram: PhaseDiagram) -> list[dict[str, Any]]:
    """Return the rows of a diagram of networks with the plain test accuracy beside each run.

    ``plain_test_step`` is the first update with the accuracy over all test pairs, mirrors of
    training pairs among them, at the threshold of the strict one; None for never. The curves that
    a store keeps have that update, and that of the best, whatever else they leave out.
    """
    spec, rows = diagram.spec, diagram.rows()
    place, threshold = curve_columns(spec.system).index(_COLUMN), spec.model.test_threshold
    for row, (_, summary) in zip(rows, diagram.require_kept().find(spec.cells()), strict=True):
        row |= dict.fromkeys(("plain_test_step", *_BEST))
        measured = row["source"] == Source.MEASURED.label
        if measured and summary is not None and len(summary.curve):
            updates, plain = summary.column("update"), summary.curve[:, place]
            # A strict accuracy of no sample is not defined.
            best = summary.best_train_accuracy, summary.best_test_accuracy, plain.max()
            row["plain_test_step"] = first_reached(updates, plain, threshold)
            row |= dict(zip(_BEST, (or_none(round(float(each), 4)) for each in best), strict=True))
    return rows

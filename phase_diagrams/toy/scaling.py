"""The scaling law of AdamW: at other rates a run is the same one in another unit of time.

AdamW's updates have the size of the learning rate, whatever the gradient's. Where rates are small
a trajectory therefore nearly depends on (learning rate) x (update), and two runs whose rates are in
one ratio, from one start and with one weight decay (it enters as learning rate x weight decay),
nearly differ by the unit of time alone. `collapse` measures how nearly: AdamW's memory of some 1000
updates has a unit of its own.
"""

import dataclasses
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from effective_theory import InputError, ToyModel
from effective_theory.checks import of_type
from phase_diagrams.diagram import PhaseDiagram
from phase_diagrams.sweeps.rescaling import merged_ratios

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_RATES = ("decoder_lr", "embedding_lr")
Measured = Literal["train", "test"]
_MEASURES: tuple[Measured, ...] = ("train", "test")


@dataclass(frozen=True)
class ScaledRun:
    """A measured run in dimensionless time: updates times the decoder's learning rate.

    Attributes
    ----------
    ratio
        embedding_lr / decoder_lr.
    decoder_lr
        The learning rate that sets the unit of time.
    held
        Values of the other axes, and the seed, as pairs of a name and a value.
    train_time, test_time
        Updates to the threshold times ``decoder_lr``; None for never.
    """

    ratio: float
    decoder_lr: float
    held: tuple[tuple[str, Any], ...]
    train_time: float | None
    test_time: float | None

    @property
    def group(self) -> tuple[Any, ...]:
        """What runs share that differ in the unit of time alone: ratio, other values and seed."""
        return self.ratio, self.held

    def time(self, measure: Measured) -> float | None:
        """Return the time to a threshold, "train" or "test"; None for never."""
        return self.train_time if measure == "train" else self.test_time


@dataclass(frozen=True)
class TimeError:
    """How far a run's time is from that of the run with the smallest rate in its group.

    Attributes
    ----------
    measure
        "train" or "test".
    decoder_lr, ratio
        Rates of the run.
    error
        Its time divided by that at the smallest rate, minus 1.
    """

    measure: str
    decoder_lr: float
    ratio: float
    error: float


@dataclass(frozen=True, eq=False, repr=False)
class Collapse:
    """The runs of a diagram in dimensionless time, and how far the scaling law holds.

    Attributes
    ----------
    runs
        The measured runs.
    """

    runs: tuple[ScaledRun, ...]

    def __repr__(self) -> str:
        """Return how many runs and groups there are; `print` tells all."""
        return f"Collapse({len(self.runs)} runs, {self._groups} groups of one ratio and start)"

    @property
    def _groups(self) -> int:
        return len({run.group for run in self.runs})

    def errors(self) -> list[TimeError]:
        """Return the deviations from the scaling law, for each run and threshold.

        A time is compared with that of the run with the smallest decoder rate in its group, the
        runs of one ratio, start and weight decay. There is none where either of the two does not
        reach the threshold.
        """
        groups: dict[tuple[Any, ...], list[ScaledRun]] = {}
        for run in sorted(self.runs, key=lambda each: each.decoder_lr):
            groups.setdefault(run.group, []).append(run)
        found = []
        for slowest, *others in groups.values():
            for run in others:
                for measure in _MEASURES:
                    time, reference = run.time(measure), slowest.time(measure)
                    if time is not None and reference:
                        error = time / reference - 1
                        found.append(TimeError(measure, run.decoder_lr, run.ratio, error))
        return found

    def __str__(self) -> str:
        """Return a table: for each decoder_lr how far times are off, medians and largest."""
        errors = self.errors()
        lines = [
            f"{len(self.runs)} runs, {self._groups} groups of one ratio, start and weight decay",
            f"{'decoder_lr':>12}  {'train time off':>24}  {'test time off':>24}",
        ]
        for rate in sorted({each.decoder_lr for each in errors}):
            cells = [
                _in_words([e.error for e in errors if (e.decoder_lr, e.measure) == (rate, name)])
                for name in _MEASURES
            ]
            lines.append(f"{rate:>12.3g}  {cells[0]:>24}  {cells[1]:>24}")
        return "\n".join(lines)

    def plot(self) -> "Figure":
        """Draw the dimensionless times against the ratio, and their errors against the rate.

        Returns
        -------
        matplotlib.figure.Figure
            Which pyplot does not know.
        """
        from matplotlib.colors import LogNorm

        from effective_theory.figures import Picture

        figure = Picture(figsize=(9.5, 4), layout="constrained")
        left, right = figure.subplots(1, 2)
        every = self.errors()
        rates = [run.decoder_lr for run in self.runs]
        norm = LogNorm(min(rates), max(rates))
        for measure, marker in zip(_MEASURES, ("o", "s"), strict=True):
            known = [run for run in self.runs if run.time(measure) is not None]
            dots = left.scatter(
                [run.ratio for run in known],
                [run.time(measure) for run in known],
                c=[run.decoder_lr for run in known], marker=marker, norm=norm, cmap="viridis",
                s=22, label=f"{measure} threshold",
            )  # fmt: skip
            errors = [each for each in every if each.measure == measure]
            right.plot(
                [each.decoder_lr for each in errors], [100 * each.error for each in errors],
                marker, markersize=4, alpha=0.6, label=f"{measure} threshold",
            )  # fmt: skip
        left.set(
            xscale="log", yscale="log", xlabel="embedding_lr / decoder_lr",
            ylabel="updates x decoder_lr",
        )  # fmt: skip
        left.legend(frameon=False)
        figure.colorbar(dots, ax=left, label="decoder_lr")
        right.legend(frameon=False)
        right.axhline(0, color="#888888", linewidth=0.8)
        right.set(xscale="log", xlabel="decoder_lr", ylabel="% off the time at the smallest rate")
        return figure


def collapse(diagram: PhaseDiagram) -> Collapse:
    """Return the measured runs of a diagram in dimensionless time, to test AdamW's scaling law.

    For small rates two runs with one ratio embedding_lr / decoder_lr, one start and one weight
    decay should reach a threshold at the same time, that is at the same product of updates and
    decoder_lr.

    Parameters
    ----------
    diagram
        A sweep of toy models over both learning rates.

    Returns
    -------
    Collapse
        The runs; print it for a table of the deviations.

    Raises
    ------
    InputError
        If the diagram is not one of toy models, or no two of its runs differ by a common factor on
        both rates alone.

    Examples
    --------
    ``print(collapse(sweep(preset("fig6a"), store="runs.sqlite")))``
    """
    spec = of_type("diagram", diagram, PhaseDiagram, "a PhaseDiagram such as sweep() returns").spec
    if not isinstance(spec.model, ToyModel):
        raise InputError(f"diagram must be one of toy models, not of {spec.system.plural}.")
    train, test = diagram.train_step, diagram.test_step
    runs: list[ScaledRun] = []
    for index in np.argwhere(diagram.measured).tolist():
        place = tuple(index)
        cell = spec.cell(place)
        held = {k: v for k, v in spec.values_at(place).items() if k not in (*_RATES, "steps")}
        model, rate = cell.model, cell.model.decoder_lr
        if rate > 0 and model.embedding_lr > 0:
            steps = (train[place], test[place])
            times = [None if np.ma.is_masked(s) else float(s) * rate for s in steps]
            seed = ("seed", cell.seed)
            runs.append(ScaledRun(model.embedding_lr / rate, rate, (*held.items(), seed), *times))
    merged = merged_ratios(math.log10(run.ratio) for run in runs)
    runs = [dataclasses.replace(r, ratio=10 ** merged[math.log10(r.ratio)]) for r in runs]
    if len({run.group for run in runs}) == len(runs):
        raise InputError(
            "diagram has no two runs of one ratio embedding_lr / decoder_lr; sweep both rates, "
            "with the same steps on both axes."
        )
    return Collapse(tuple(runs))


def _in_words(errors: Iterable[float]) -> str:
    values = np.array(list(errors))
    if not len(values):
        return "-"
    worst = values[np.abs(values).argmax()]
    return f"{np.median(values):+.1%}, worst {worst:+.1%}"

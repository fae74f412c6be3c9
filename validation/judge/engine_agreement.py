"""Do the simulator and PyTorch agree? One answer, with the bounds that decide it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import torch

from effective_theory.checks import integer, of_type
from phase_diagrams import Comparison, PhaseDiagram, SweepSpec, compare, numba_engine, sweep
from phase_diagrams.sweeping import DEFAULT_NAME
from validation.engine.engine import TorchEngine, torch_engine
from validation.judge.nudged_runs import NudgedRuns, nudged_runs, steps_of
from validation.judge.nudges import nudged_starts
from validation.judge.stable_cells import Cells, stable_cells

#: Updates by which steps of a stable cell may differ.
STEP_TOLERANCE = 1
#: Below it the pooled permutation test calls the two engines different.
LEAST_P_VALUE = 0.01


@dataclass(frozen=True)
class Bound:
    """A claim that must hold if simulator and PyTorch are one model, and what was measured.

    Attributes
    ----------
    claim
        The claim, in one clause.
    found
        What was measured, in words and numbers.
    holds
        Whether it does.
    """

    claim: str
    found: str
    holds: bool

    def __str__(self) -> str:
        """Return whether it holds, the claim and what was measured."""
        return f"{'holds' if self.holds else 'FAILS'}: {self.claim}: {self.found}"


@dataclass(frozen=True, eq=False, repr=False)
class EngineAgreement:
    """The simulator beside PyTorch.

    Attributes
    ----------
    engine
        PyTorch's engine.
    simulator, pytorch
        The two diagrams from identical starts.
    comparison
        Of these two; PyTorch is the reference.
    stable
        Cells for which it is claimed that rounding does not decide, shape (axes..., seeds).
    nudged
        Runs of both from nudged starts.
    """

    engine: TorchEngine
    simulator: PhaseDiagram
    pytorch: PhaseDiagram
    comparison: Comparison
    stable: Cells
    nudged: NudgedRuns

    @property
    def nudges(self) -> int:
        """Number of nudged starts."""
        return len(self.nudged.phases[0])

    @cached_property
    def exact(self) -> Cells:
        """Cells with equal labels and both steps within STEP_TOLERANCE, from identical starts."""
        result: Cells = self.simulator.phases == self.pytorch.phases
        for name in ("train", "test"):
            a, b = (steps_of(diagram, name) for diagram in (self.simulator, self.pytorch))
            with np.errstate(invalid="ignore"):
                result &= (a == b) | (np.abs(a - b) <= STEP_TOLERANCE)
        return result

    @cached_property
    def p_values(self) -> dict[str, float]:
        """Of "label", "train" and "test", over the cells that are not stable."""
        return self.nudged.p_values(~self.stable)

    @property
    def bounds(self) -> tuple[Bound, ...]:
        """Return what must hold if the two are one model."""
        bounds = []
        if self.stable.any():
            met, size = int(self.exact[self.stable].sum()), int(self.stable.sum())
            bounds.append(
                Bound(
                    "where rounding does not decide, identical starts give the same label and "
                    f"both steps within {STEP_TOLERANCE} update",
                    f"{met} of {size} cells",
                    met == size,
                )
            )
        disjoint = int(self.nudged.disjoint.sum())
        bounds.append(
            Bound(
                f"over {self.nudges} nudged starts no cell has labels that exclude each other",
                f"{disjoint} of {self.nudged.disjoint.size} cells have",
                disjoint == 0,
            )
        )
        p = self.p_values["label"]
        if not np.isnan(p):
            bounds.append(
                Bound(
                    "over the other cells' nudged starts a permutation test of labels has "
                    f"p > {LEAST_P_VALUE}",
                    f"p = {p:.2g}",
                    p > LEAST_P_VALUE,
                )
            )
        return tuple(bounds)

    @property
    def holds(self) -> bool:
        """Whether every bound holds."""
        return all(bound.holds for bound in self.bounds)

    def __repr__(self) -> str:
        """Return the verdict and which bounds it rests on."""
        holding = sum(bound.holds for bound in self.bounds)
        verdict = "agree" if self.holds else "do not agree"
        return (
            f"EngineAgreement(simulator, {self.engine.identity}: {verdict}, "
            f"{holding} of {len(self.bounds)} bounds hold)"
        )

    def __str__(self) -> str:
        """Return the comparison from identical starts, then each bound, line by line."""
        steps = ", ".join(f"{name} p = {self.p_values[name]:.2g}" for name in ("train", "test"))
        lines = [str(self.comparison), "", *map(str, self.bounds)]
        return "\n".join([*lines, f"permutation tests of the nudged starts' steps: {steps}"])


def agreement(
    spec: SweepSpec,
    *,
    device: str | torch.device | None = None,
    store: str | Path | None = None,
    name: str = DEFAULT_NAME,
    nudges: int = 8,
    stable: Mapping[str, float] | None = None,
    jobs: int | None = None,
    cells_per_batch: int | None = None,
    progress: bool = True,
) -> EngineAgreement:
    """Sweep in the simulator and in PyTorch, from identical and from nudged starts, and compare.

    Both train in float32. From identical starts they do the same arithmetic in another order, so a
    cell in which rounding does not decide must come out the same; in the others one unit in the
    last place of a start changes what happens, and only distributions over nudged starts can agree.

    Parameters
    ----------
    spec
        The sweep; its start is nudged.
    device
        Where PyTorch trains; a GPU by default if there is one.
    store
        Keeps finished runs; the same call resumes.
    name
        Name of the sweep in the store; that of a nudged start is "NAME-nudged-1" and so on.
    nudges
        Number of nudged starts, at least 2.
    stable
        Largest value on each axis named for which rounding is known not to decide, such as
        ``{"decoder_lr": 2.2e-4, "decoder_weight_decay": 6}``; without it no cell is claimed stable.
    jobs
        Runs of the simulator at a time.
    cells_per_batch
        Cells that PyTorch trains together.
    progress
        Show progress bars.

    Raises
    ------
    InputError
        If an argument is wrong.

    Examples
    --------
    ``print(agreement(preset("released-5b"), store="runs.sqlite"))``
    """
    of_type("spec", spec, SweepSpec, 'a SweepSpec such as preset("released-5b")')
    nudges = integer("nudges", nudges, 2, 1000)
    region = stable_cells(spec, {} if stable is None else stable)
    pytorch = torch_engine(device, cells_per_batch=cells_per_batch)
    sweeps = {name: spec}
    for number, start in enumerate(nudged_starts(spec.start, nudges), 1):
        sweeps[f"{name}-nudged-{number}"] = replace(spec, start=start)
    simulated, trained = (
        [
            sweep(each, store=store, name=called, engine=engine, progress=progress)
            for called, each in sweeps.items()
        ]
        for engine in (numba_engine(jobs), pytorch)
    )
    names = "simulator", "PyTorch"
    return EngineAgreement(
        engine=pytorch,
        simulator=simulated[0],
        pytorch=trained[0],
        comparison=compare(simulated[0], trained[0], tolerance=STEP_TOLERANCE, names=names),
        stable=region,
        nudged=nudged_runs(simulated[1:], trained[1:]),
    )

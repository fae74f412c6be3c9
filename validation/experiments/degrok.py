"""From a diagram to a faster run: advice from some seeds, put to the test on others."""

import dataclasses
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from effective_theory import ModularOperation
from effective_theory.figures import Picture
from phase_diagrams import Phase, SweepSpec, advise, preset
from validation.data.images import Digits
from validation.experiments.experiment import Experiment, Findings, Run
from validation.experiments.outcomes import or_infinite, or_none
from validation.systems.settings import ImageSettings, OneLayerSettings

#: Starts that no diagram has.
_UNSEEN = tuple(range(100, 120))
#: Phase of a start that need not become faster.
_SOON = Phase.COMPREHENSION.label


@dataclass(frozen=True)
class Case:
    """A system with a setting from which a faster one is asked for.

    Attributes
    ----------
    diagram
        What the advice is read from.
    start
        The setting, a value on each axis.
    bound
        Least median factor.
    """

    diagram: SweepSpec
    start: dict[str, Any]
    bound: float


def cases() -> dict[str, Case]:
    """Return the systems."""
    toy = preset("released-5b")
    toy = dataclasses.replace(
        toy,
        axes={
            "decoder_lr": toy.grid["decoder_lr"],
            "decoder_weight_decay": [0.0, 1.0, 2.0, 4.0, 6.0, 8.0, 10.0],
        },
    )
    toy_start = {"decoder_lr": 4.641588833612782e-05, "decoder_weight_decay": 0.0}
    images = ImageSettings(train_threshold=0.95, test_threshold=0.8)
    transformer = OneLayerSettings(dimension=64, hidden=256, steps=8000)
    task = ModularOperation("x+y", 31)
    return {
        # At this start the published seed groks; most of the seeds 0 to 4 do not.
        "toy model": Case(toy, toy_start, 3.0),
        "toy model, seeds 0 to 4": Case(
            dataclasses.replace(toy, seeds=(0, 1, 2, 3, 4)), toy_start, 3.0
        ),
        "digits": Case(
            SweepSpec(
                Digits(),
                {"weight_decay": [0.01, 0.1, 0.5, 1.0, 3.0], "lr": [1e-4, 1e-3, 1e-2, 1e-1]},
                images,
                train_size=200,
                seeds=(0, 1),
            ),
            {"weight_decay": 0.1, "lr": 1e-3},
            3.0,
        ),
        "transformer": Case(
            SweepSpec(
                task,
                {"lr": [1e-3, 3e-3, 1e-2], "weight_decay": [0.5, 1.0, 2.0, 4.0]},
                transformer,
                train_fraction=0.5,
                seeds=(0, 1),
                # It fits in some 60 updates: by a lag of 1000 this start comprehends.
                lag=200,
            ),
            {"lr": 3e-3, "weight_decay": 1.0},
            1.0,
        ),
    }


def measure(run: Run) -> Findings:
    """Sweep, ask, and run start and advice on unseen seeds."""
    found: dict[str, dict[str, Any]] = {}
    chosen, unseen = cases(), _UNSEEN
    if run.quick:
        case = chosen["toy model"]
        few = dataclasses.replace(
            case.diagram,
            axes={"decoder_lr": list(case.diagram.grid["decoder_lr"].values[2::3]),
                  "decoder_weight_decay": [0.0, 4.0]},
            seeds=(0,),
        )  # fmt: skip
        chosen, unseen = {"toy model": dataclasses.replace(case, diagram=few)}, _UNSEEN[:3]
    for name, case in chosen.items():
        found[name] = tried(run, name, case, unseen)
    late = {name: each for name, each in found.items() if each["asked_phase"] != _SOON}
    holds = bool(late) and all(
        each["advised"] is not None and each["factor"] >= chosen[name].bound
        for name, each in late.items()
    )
    return Findings(
        verdict=run.verdict(holds, can_refute=bool(late)),
        measured="; ".join(_told(name, each) for name, each in found.items()),
        numbers=found,
        figures=(("Factor on each unseen start; below 1 the advice was wrong", _picture(found)),),
    )


def tried(run: Run, name: str, case: Case, unseen: tuple[int, ...]) -> dict[str, Any]:
    """Return what the advice for a case was, and what came of it on unseen seeds."""
    diagram = run.swept(case.diagram, name)
    advice = advise(diagram, **case.start)
    if not advice.settings:
        return {"asked_phase": advice.phase.label, "advised": None, "factor": None}
    # The nearest whose neighbours comprehend as well, where there is one.
    setting = advice.settings[-1]
    held = {
        which: run.swept(
            dataclasses.replace(
                case.diagram, axes={k: [v] for k, v in values.items()}, seeds=unseen
            ),
            f"{name}, {which}",
        )
        for which, values in (("start", case.start), ("advised", setting.values))
    }
    steps = {which: or_infinite(each.test_step).ravel() for which, each in held.items()}
    comprehends = (held["advised"].phases == Phase.COMPREHENSION).ravel()
    # Where the start does not get there in its budget the factor is that at least.
    budget = case.diagram.model.steps
    factors = np.minimum(steps["start"], budget) / steps["advised"]
    factors = np.where(np.isinf(steps["advised"]), 0.0, factors)
    low, high = median_interval(factors)
    return {
        "asked_phase": advice.phase.label,
        "advised": {k: float(v) for k, v in setting.values.items()},
        "predicted_step": setting.test_step,
        "predicted_factor": setting.speedup,
        "found_step": or_none(np.median(steps["advised"])),
        "start_step": or_none(np.median(steps["start"])),
        "factor": float(np.median(factors)),
        "factor_low": or_none(low),
        "factor_high": or_none(high),
        "factors": [round(float(each), 3) for each in factors],
        "hits": int((comprehends & (factors > 1)).sum()),
        "starts": len(unseen),
        "failed_seeds": [
            seed for seed, hit in zip(unseen, comprehends & (factors > 1), strict=True) if not hit
        ],
    }


def median_interval(values: NDArray[np.float64], confidence: float = 0.95) -> tuple[float, float]:
    """Return order statistics between which the median lies with at least that confidence.

    The number of values below the median is binomial with 1/2, whatever they are. Of too few values
    no two suffice, such as of fewer than six at 95 %: the interval is without ends.
    """
    from scipy import stats

    ordered, n = np.sort(values), len(values)
    place = int(stats.binom.ppf((1 - confidence) / 2, n, 0.5))
    if place == 0:
        return -math.inf, math.inf
    return float(ordered[place - 1]), float(ordered[n - place])


def _told(name: str, each: dict[str, Any]) -> str:
    if each["advised"] is None:
        return f"{name}: {each['asked_phase']}, nothing advised"
    where = ", ".join(f"{k} {v:g}" for k, v in each["advised"].items())
    return (
        f"{name} ({each['asked_phase']}): {where}, test predicted at {each['predicted_step']}, "
        f"found at {each['found_step']} (start: {each['start_step']}), median factor "
        f"{each['factor']:.2g} ({_interval_told(each)}), right in {each['hits']} of "
        f"{each['starts']}"
    )


def _interval_told(each: dict[str, Any]) -> str:
    if each["factor_low"] is None:
        return "too few for an interval"
    return f"{each['factor_low']:.2g} to {each['factor_high']:.2g}"


def _picture(found: dict[str, dict[str, Any]]) -> Picture:
    figure = Picture(figsize=(7, 3.4), layout="constrained")
    axes = figure.subplots()
    known = {name: each for name, each in found.items() if each["advised"] is not None}
    for place, each in enumerate(known.values()):
        factors = np.maximum(each["factors"], 1e-2)
        axes.plot(place + np.linspace(-0.2, 0.2, len(factors)), factors, "o", alpha=0.7)
        axes.plot([place - 0.3, place + 0.3], 2 * [each["factor"]], color="#222222")
    axes.axhline(1, color="#888888", linestyle=":")
    axes.set(xticks=range(len(known)), xticklabels=list(known), yscale="log", ylabel="times faster")
    return figure


EXPERIMENT = Experiment(
    name="degrok",
    claim="a phase diagram says how to turn grokking into comprehension: nearby settings that "
    "generalise much sooner, also for starts that it has not seen",
    source="Liu et al. 2022, section 4 (de-grokking), put to the test",
    settings="advice read off diagrams of some seeds, start and advice run on 20 seeds that they "
    "do not have. Toy model: released start, decoder 4.6e-5, decay 0, 10 x 7, seed 58, and seeds 0 "
    "to 4 (run first), most of which comprehend at that start; "
    "digits: scale 9, decay .1, last-layer lr 1e-3, train .95, test .8, 5 x 4, seeds 0 and 1; "
    "one-layer transformer at CI size, lr 3e-3, decay 1, budget 8000, 3 x 4, seeds 0 and 1, by a "
    "lag of 200 (by one of 1000, run first, it comprehends at that start); the "
    "advised setting is the nearest whose neighbours comprehend as well, where there is one",
    bound="median factor over the unseen starts at least 3 for toy model and digits, and 1 for the "
    "transformer, where the start does not comprehend by its diagram",
    measure=measure,
    quick="toy model, 3 x 2 cells, three unseen starts",
)

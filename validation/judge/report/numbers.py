"""Every number of a report as plain Python values for JSON; None for never and for undefined."""

import dataclasses
import json
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from phase_diagrams import Comparison, numba_engine
from phase_diagrams.phases import RUN_PHASES, Phase
from validation.judge.engine_agreement import EngineAgreement
from validation.judge.typical_cells import TypicalCell
from validation.provenance import Provenance


def numbers(
    agreement: EngineAgreement, typical: Sequence[TypicalCell], provenance: Provenance
) -> dict[str, Any]:
    """Return the report as nested dictionaries and lists."""
    content = {
        "holds": agreement.holds,
        "bounds": [dataclasses.asdict(bound) for bound in agreement.bounds],
        "engines": {"simulator": numba_engine().identity, "pytorch": agreement.engine.identity},
        "provenance": dataclasses.asdict(provenance),
        "spec": json.loads(agreement.simulator.spec.to_json()),
        "nudges": agreement.nudges,
        "identical_starts": {
            **_comparison(agreement.comparison),
            "cells_met": int(agreement.exact.sum()),
            "stable_cells": int(agreement.stable.sum()),
            "stable_cells_met": int(agreement.exact[agreement.stable].sum()),
        },
        "nudged_starts": {
            "p_values": agreement.p_values,
            "cells_with_exclusive_labels": int(agreement.nudged.disjoint.sum()),
        },
        "cells": _cells(agreement),
        "trajectories": [_trajectory(each) for each in typical],
    }
    plain: dict[str, Any] = _plain(content)
    return plain


def _comparison(comparison: Comparison) -> dict[str, Any]:
    return {
        "cells": comparison.shared,
        "equal_labels": comparison.agreeing,
        "equal_labels_share": comparison.agreeing / comparison.shared,
        "commonest_label_share": comparison.commonest / comparison.shared,
        "kappa": comparison.kappa,
        "phases": [phase.label for phase in RUN_PHASES],
        "table_simulator_by_pytorch": comparison.table,
        "steps": {name: dataclasses.asdict(step) for name, step in comparison.steps.items()},
        "boundary_shifts": {
            name: dataclasses.asdict(shift) for name, shift in comparison.shifts.items()
        },
    }


def _cells(agreement: EngineAgreement) -> list[dict[str, Any]]:
    """Return one row for each cell: labels and steps of both, and their nudged labels."""
    diagrams = {"simulator": agreement.simulator, "pytorch": agreement.pytorch}
    nudged = {
        name: np.moveaxis(phases, 0, -1)
        for name, phases in zip(diagrams, agreement.nudged.phases, strict=True)
    }
    phases = {name: diagram.phases for name, diagram in diagrams.items()}
    rows = []
    for cell in agreement.simulator.spec.cells():
        row = agreement.simulator.spec.values_at(cell.index)
        row["seed"] = cell.seed
        row["stable"] = agreement.stable[cell.index]
        for name, diagram in diagrams.items():
            row[name] = {
                "label": Phase(int(phases[name][cell.index])).label,
                "train_step": diagram.train_step[cell.index],
                "test_step": diagram.test_step[cell.index],
                "nudged_labels": "".join(
                    Phase(int(phase)).letter for phase in nudged[name][cell.index]
                ),
            }
        rows.append(row)
    return rows


def _trajectory(typical: TypicalCell) -> dict[str, Any]:
    check = typical.check
    return {
        "cell": typical.values,
        "seed": typical.cell.seed,
        "phase": typical.phase.label,
        "rounding_takes_over_at": check.takeover(),
        "distance_before": check.typical_distances(),
        "update": check.update,
        "distance_from_float64": check.distances,
        "train_loss": {name: run.train_loss for name, run in check.runs.items()},
        "rqi": {name: run.rqi for name, run in check.runs.items()},
    }


def _plain(value: Any) -> Any:
    """Return the value in the types of JSON."""
    if isinstance(value, dict):
        return {str(name): _plain(each) for name, each in value.items()}
    if isinstance(value, np.ndarray):
        return _plain(value.tolist())
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if value is np.ma.masked:
        return None
    if isinstance(value, np.generic):
        return _plain(value.item())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value

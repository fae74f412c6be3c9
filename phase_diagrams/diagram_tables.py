"""Phase diagrams as tables: plain rows, a pandas frame, an xarray Dataset."""

from typing import TYPE_CHECKING, Any

import numpy as np

from effective_theory import InputError
from phase_diagrams.phases import Phase, Source
from phase_diagrams.results import STATUSES, STEPS, Results
from phase_diagrams.statistics.prediction import Prediction
from phase_diagrams.sweeps.spec import SweepSpec

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr


def rows(
    spec: SweepSpec, results: Results, prediction: Prediction | None = None
) -> list[dict[str, Any]]:
    """Return one plain row for each cell and seed, run or not; see `PhaseDiagram.rows`."""
    table = []
    phases = results.phases(spec.lag)
    for index in np.ndindex(spec.shape):
        row = spec.written_at(index)
        row["split_seed"], row["init_seed"] = spec.seeds[index[-1]]
        row["phase"] = Phase(int(phases[index])).label
        for name in _steps_of(spec):
            step = int(results.arrays[name][index])
            row[f"{name}_step"] = None if step < 0 else step
        row["status"] = STATUSES[results.arrays["status"][index]]
        row["source"] = Source(int(results.source[index])).label
        if prediction is not None:
            row["probability"] = prediction.certainty_at(index)
        table.append(row)
    return table


def frame(
    spec: SweepSpec, results: Results, prediction: Prediction | None = None
) -> "pd.DataFrame":
    """Return a pandas frame of the rows; see `PhaseDiagram.to_frame`."""
    import pandas as pd

    steps = {f"{name}_step": "Int64" for name in _steps_of(spec)}
    return pd.DataFrame(rows(spec, results, prediction)).astype(steps)


def dataset(
    spec: SweepSpec, results: Results, prediction: Prediction | None = None
) -> "xr.Dataset":
    """Return an xarray Dataset; see `PhaseDiagram.to_xarray`.

    Raises
    ------
    InputError
        If xarray is not installed.
    """
    try:
        import xarray as xr
    except ImportError:
        raise InputError("to_xarray needs xarray; install the package's extra [xarray].") from None
    dimensions = (*spec.grid, "seed")
    variables: dict[str, tuple[Any, ...]] = {
        "phase": (dimensions, results.phases(spec.lag), _flags(Phase)),
        "source": (dimensions, results.source, _flags(Source)),
    }
    if prediction is not None:
        variables["probability"] = (dimensions, prediction.certainty)
    for name in _steps_of(spec):
        steps = results.arrays[name]
        variables[f"{name}_step"] = (dimensions, np.where(steps < 0, np.nan, steps))
    return xr.Dataset(
        variables,
        coords={
            **{name: _coordinates(spec, name) for name in spec.grid},
            "split_seed": ("seed", [split for split, _ in spec.seeds]),
            "init_seed": ("seed", [initial for _, initial in spec.seeds]),
        },
        attrs={"spec": spec.to_json()},
    )


def _steps_of(spec: SweepSpec) -> tuple[str, ...]:
    """Return the names of the steps that the system's tables have."""
    measures = spec.system.measures
    return tuple(name for name in STEPS if name in measures or name == "diverged")


def _flags(labels: type[Phase] | type[Source]) -> dict[str, Any]:
    """Return the attributes that tell a reader of netCDF what integers stand for."""
    return {
        "flag_values": np.array(list(labels), np.int8),
        "flag_meanings": " ".join(label.name.lower() for label in labels),
    }


def _coordinates(spec: SweepSpec, name: str) -> list[Any]:
    """Return the values of an axis, all of them numbers or all of them text."""
    values = [spec.system.written(name, value) for value in spec.grid[name].values]
    return values if all(isinstance(v, int | float) for v in values) else list(map(str, values))

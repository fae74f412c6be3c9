"""The coarse sweep of which a refined one has been made."""

import dataclasses

from phase_diagrams.sweeps.axes import Axis
from phase_diagrams.sweeps.spec import SweepSpec


def coarse_places(spec: SweepSpec) -> tuple[slice, ...]:
    """Return where the cells of the coarse sweep lie on the refined axes."""
    return tuple(slice(None, None, spec.refined.get(name)) for name in spec.grid)


def coarse_spec(spec: SweepSpec) -> SweepSpec:
    """Return the coarse sweep; of one that was not refined, the sweep itself."""
    axes = {
        name: Axis(axis.values[:: spec.refined.get(name, 1)], axis.scale)
        for name, axis in spec.grid.items()
    }
    return dataclasses.replace(spec, axes=axes, refined={})

"""One cell by the simulator and by PyTorch, both beside PyTorch in float64."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from effective_theory import Dataset, InitialState, ToyModel, train
from effective_theory.checks import integer
from phase_diagrams.runs.summary import curve_updates
from validation.engine.stacked_rqi import StackedRqi
from validation.judge.plain_training import plain_training, require_cell
from validation.judge.trajectory import Trajectory, Values

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: A run has left the float64 one when its embeddings are off by this share of their size.
TAKEOVER = 1e-3


@dataclass(frozen=True, eq=False, repr=False)
class CrossCheck:
    """One cell trained three times: by the simulator, by PyTorch and by PyTorch in float64.

    Attributes
    ----------
    update
        Completed updates, shape (updates,).
    simulator, pytorch
        Trajectories in float32.
    exact
        PyTorch's trajectory in float64, with which both are compared.
    """

    update: NDArray[np.int64]
    simulator: Trajectory
    pytorch: Trajectory
    exact: Trajectory

    @property
    def runs(self) -> dict[str, Trajectory]:
        """The three by name."""
        return {
            "PyTorch float64": self.exact,
            "PyTorch": self.pytorch,
            "simulator": self.simulator,
        }

    @property
    def distances(self) -> dict[str, Values]:
        """Relative distance from the float64 run's embeddings, of each float32 run."""
        both = {"simulator": self.simulator, "PyTorch": self.pytorch}
        return {name: run.distance(self.exact) for name, run in both.items()}

    def takeover(self, share: float = TAKEOVER) -> int | None:
        """Return the first update at which float32 rounding has taken over; None for never.

        That is where a float32 run, of the simulator or of PyTorch, differs from the float64 run by
        more than ``share`` of the embeddings' size.
        """
        off = np.maximum(*self.distances.values()) > share
        return int(self.update[off.argmax()]) if off.any() else None

    def typical_distances(self) -> dict[str, float]:
        """Geometric mean distance of each float32 run up to the takeover: who is closer.

        States that are met bit for bit are left out.
        """
        takeover = self.takeover()
        before = self.update < (takeover if takeover is not None else np.inf)
        result = {}
        for name, distance in self.distances.items():
            off = distance[before & (distance > 0.0)]
            result[name] = float(np.exp(np.log(off).mean())) if len(off) else 0.0
        return result

    @property
    def verdict(self) -> str:
        """Where float32 rounding takes over and who is closer to float64 before, in a sentence."""
        typical, takeover = self.typical_distances(), self.takeover()
        closer = min(typical, key=lambda name: typical[name])
        when = "does not take over" if takeover is None else f"takes over at update {takeover}"
        who = "the simulator" if closer == "simulator" else closer
        distances = ", ".join(f"{name} {value:.1e}" for name, value in typical.items())
        return f"float32 rounding {when}; before, {who} is closer to float64: {distances}"

    def __repr__(self) -> str:
        """Return how many updates are compared, and where rounding takes over."""
        takeover = self.takeover()
        when = "no takeover" if takeover is None else f"takeover at {takeover}"
        return f"CrossCheck({len(self.update)} updates to {self.update[-1]}, {when})"

    def __str__(self) -> str:
        """Return distances and RQIs at some updates, then the verdict, line by line."""
        distances = self.distances
        lines = ["update     " + " ".join(f"{name:>12}" for name in distances) + "   RQI (three)"]
        for k in np.unique(np.linspace(0, len(self.update) - 1, 9).astype(int)):
            rqis = (run.rqi[k] for run in (self.simulator, self.pytorch, self.exact))
            lines.append(
                f"{self.update[k]:<10} "
                + " ".join(f"{distance[k]:12.1e}" for distance in distances.values())
                + "   "
                + " ".join(f"{value:.3f}" for value in rqis)
            )
        return "\n".join([*lines, self.verdict])

    def plot(self) -> "Figure":
        """Draw loss, RQI, embeddings and distances against the update number."""
        from validation.judge.cross_check_figure import plot_cross_check

        return plot_cross_check(self.update, self.runs, self.exact, self.takeover())


def cross_check(
    model: ToyModel, dataset: Dataset, state: InitialState, *, points: int = 200
) -> CrossCheck:
    """Train one cell with the simulator, with PyTorch and with PyTorch in float64.

    All go on for the model's budget. PyTorch is the plain loop of `plain_training`.

    Parameters
    ----------
    model, dataset, state
        As for `effective_theory.train`.
    points
        Number of updates, at most, at which the runs are compared, evenly spaced on a log scale:
        those that are the same when rounded count once.

    Returns
    -------
    CrossCheck
        The three trajectories; they end where the first run diverges.

    Raises
    ------
    InputError
        If an argument is wrong, or the arguments do not fit each other.
    """
    require_cell(model, dataset, state)
    points = integer("points", points, 2)
    model = replace(model, stop_when="never")
    updates = curve_updates(model.steps, points)
    history = train(model, dataset, state, record_at=updates).history
    assert history is not None
    single, double = (
        _by_pytorch(model, dataset, state, updates, dtype)
        for dtype in (torch.float32, torch.float64)
    )
    # The simulator's last state is recorded twice.
    simulator = Trajectory(history.train_loss, history.rqi, history.embeddings.astype(np.float64))
    runs = [simulator, single, double]
    shared = min(len(updates), *(_finite(run) for run in runs))
    ours, theirs, exact = (
        Trajectory(run.train_loss[:shared], run.rqi[:shared], run.embeddings[:shared])
        for run in runs
    )
    return CrossCheck(updates[:shared], ours, theirs, exact)


def _by_pytorch(
    model: ToyModel,
    dataset: Dataset,
    state: InitialState,
    updates: NDArray[np.int64],
    dtype: torch.dtype,
) -> Trajectory:
    rqi = StackedRqi(dataset.operation, model.embedding_dim, torch.device("cpu"))
    wanted, losses, embeddings, rqis = set(updates.tolist()), [], [], []
    for snapshot in plain_training(
        model,
        dataset,
        state,
        updates=model.steps,
        dtype=dtype,
        batches=minibatches(model, dataset, state),
    ):
        if snapshot.update in wanted:
            now = snapshot.network.embeddings.detach()
            losses.append(snapshot.train_loss)
            rqis.append(rqi(now[None])[0].item())
            embeddings.append(now.double().numpy().copy())
    return Trajectory(np.array(losses), np.array(rqis), np.array(embeddings))


def minibatches(model: ToyModel, dataset: Dataset, state: InitialState) -> list[list[int]] | None:
    """Return the training samples of each update as the simulator draws them; None for all."""
    if model.batch_size is None or state.minibatches is None:
        return None
    batches: list[list[int]] = state.minibatches.begin(dataset, model.batch_size)(
        model.steps
    ).tolist()
    return batches


def _finite(run: Trajectory) -> int:
    """Return how many states there are before the first that is not finite."""
    finite = np.isfinite(run.train_loss) & np.isfinite(run.embeddings).all(axis=(1, 2))
    return len(finite) if finite.all() else int(finite.argmin())

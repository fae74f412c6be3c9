"""The engine of networks: cells one by one, each on a core of its own, or on a GPU."""

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from effective_theory import Dataset
from effective_theory.checks import jobs
from effective_theory.files import require_folder
from phase_diagrams.runs.dask_workers import dask_client
from phase_diagrams.runs.engines import CellTask, OneByOne, require_settings_of
from phase_diagrams.runs.summary import RunSummary, curve_columns, curve_updates
from phase_diagrams.sweeps.cell import Cell
from phase_diagrams.sweeps.seeds import Seed, checked_seed
from phase_diagrams.sweeps.starts import Recipe, drawn_split
from validation.systems.settings import NetworkSettings
from validation.training.curve import decisive_accuracy

if TYPE_CHECKING:
    from validation.training.loop import NetworkRun

#: Raised whenever the bits of a result change.
ENGINE_VERSION = 3
#: Columns behind the usual ones; "test_accuracy" is the strict one where it is defined.
FURTHER = ("plain_test_accuracy",)


def random_network(
    settings: NetworkSettings, task: object, train_size: int, seed: Seed
) -> tuple[Dataset, int]:
    """Draw a split from the first seed; the second draws weights, batches and noise."""
    _, initialisation = checked_seed(seed)
    return random_split(settings, task, train_size, seed), initialisation


def random_split(settings: NetworkSettings, task: object, train_size: int, seed: Seed) -> Dataset:
    """Draw the split of `random_network`."""
    return drawn_split(task, train_size, seed)


def train_cell(
    cell: Cell, recipe: Recipe, *, device: str = "cpu", checkpoints: Path | None = None
) -> RunSummary:
    """Train the network of a cell on one thread and return what a sweep keeps of it.

    With a folder of ``checkpoints`` it goes on where the cell's own was left.
    """
    import torch

    from validation.engine.torch_origin import torch_origin
    from validation.training.loop import train_network
    from validation.training.threads import one_thread

    settings, (dataset, seed) = cell.model, cell.draw(recipe)
    with one_thread():
        network = settings.network(cell.task, seed).to(device)
        run = train_network(
            network,
            dataset,
            settings.optimisation,
            settings.plan,
            seed=seed,
            checkpoint=None if checkpoints is None else checkpoint_of(cell, checkpoints, device),
        )
    found, curve = run.crossings, usual_curve(run, cell.system.further)
    columns = dict(zip(curve_columns(cell.system), curve.T, strict=True))
    train, test = columns["train_accuracy"], columns["test_accuracy"]
    # The row with the best plain accuracy, of which no scalar is kept.
    plain = columns.get("plain_test_accuracy", test)
    best = columns["update"][plain.argmax()]
    steps = [found.train_step, found.test_step, found.plain_test_step, best]
    kept = _kept(columns["update"], steps)
    ended = run.status != "diverged"
    return RunSummary(
        status=run.status,
        train_step=found.train_step,
        test_step=found.test_step,
        rqi_step=None,
        diverged_step=run.diverged_step,
        steps_run=run.updates_run,
        train_accuracy=float(train[-1]) if ended else np.nan,
        test_accuracy=float(test[-1]) if ended else np.nan,
        best_train_accuracy=float(train.max()),
        best_test_accuracy=float(test.max()),
        rqi=np.nan,
        state=network.state.detach().float().cpu().numpy().copy(),
        curve=curve[kept],
        origin=torch_origin(torch.device(device)),
    )


def usual_curve(run: "NetworkRun", further: Sequence[str] = FURTHER) -> NDArray[np.float64]:
    """Return a training's curve with the columns of sweeps and further ones.

    Shape (evaluations, columns): update, losses, accuracies, the RQI, which is NaN, and the further
    ones.
    """
    curve = run.curve
    decisive = decisive_accuracy(curve, run.strict_samples is not None)
    absent = np.full(len(decisive), np.nan)
    columns = [curve["update"], curve["train_loss"], curve["test_loss"], curve["train_accuracy"]]
    return np.column_stack([*columns, decisive, absent, *(curve[name] for name in further)])


def _kept(updates: NDArray[np.float64], steps: Sequence[float | None]) -> NDArray[np.int64]:
    """Return the evaluations that a store keeps: evenly spaced logarithms, steps, the last."""
    end = max(1, int(updates[-1]))
    wanted = [*curve_updates(end), *(step for step in steps if step is not None)]
    places = np.searchsorted(updates, wanted).clip(max=len(updates) - 1)
    return np.unique([*places, len(updates) - 1])


def checkpoint_of(cell: Cell, checkpoints: Path, device: str) -> Path:
    """Return where a cell's training leaves its state.

    It is another for another budget, and for engines whose runs a store keeps apart.
    """
    steps, stop_when = cell.budget
    engine = f"{engine_identity(device)}-{ENGINE_VERSION}"
    return checkpoints / f"{engine}-{cell.cell_id}-{steps}-{stop_when}.pt"


def engine_identity(device: str) -> str:
    """Return the name under which results are stored, such as "networks-cpu-float32"."""
    return f"networks-{device.partition(':')[0]}-float32"


@dataclass(frozen=True)
class NetworkEngine(OneByOne):
    """Networks in PyTorch, parallel over cells with joblib; one thread for each.

    Attributes
    ----------
    n_jobs
        Runs at a time; None for what ``joblib.parallel_config`` says, or one on each core.
    device
        Where they are trained.
    checkpoints
        Folder in which trainings leave their states; they are removed once the runs are kept.
    version
        Raised whenever the bits of a result change.
    """

    device: str = "cpu"
    checkpoints: Path | None = None
    version: int = ENGINE_VERSION

    @property
    def identity(self) -> str:
        """Name under which results are stored, such as "networks-cpu-float32"."""
        return engine_identity(self.device)

    def beside(self, store: Path) -> "NetworkEngine":
        """Return the engine with checkpoints in a folder beside a store."""
        folder = store.absolute().with_name(f"{store.stem}-checkpoints")
        return replace(self, checkpoints=folder)

    def task(self) -> CellTask:
        """Return what trains a cell."""
        return partial(train_cell, device=self.device, checkpoints=self.checkpoints)

    def run(self, cells: Iterable[Cell]) -> Iterator[tuple[Cell, RunSummary]]:
        """Yield each cell with its result as it comes; see `OneByOne.run`.

        Raises
        ------
        InputError
            If a cell is none of a network, or as by `OneByOne.run`.
        RunError
            As by `OneByOne.run`.
        """
        folder = self.checkpoints
        if folder is not None and dask_client() is not None:
            # Workers of Dask may have other disks.
            yield from replace(self, checkpoints=None).run(cells)
            return
        if folder is not None:
            require_folder(folder)
        for cell, summary in super().run(_of_networks(cell, self.identity) for cell in cells):
            yield cell, summary
            # Who asks for the next run has stored this one.
            if folder is not None:
                checkpoint_of(cell, folder, self.device).unlink(missing_ok=True)
        if folder is not None:
            # It stays while another sweep of this store has states in it.
            with contextlib.suppress(OSError):
                folder.rmdir()


def _of_networks(cell: Cell, engine: str) -> Cell:
    require_settings_of(cell, NetworkSettings, engine)
    return cell


def network_engine(n_jobs: int | None = None, *, device: str = "cpu") -> NetworkEngine:
    """Return the engine of networks.

    In a sweep with a store each training leaves its state every 1000 updates in a folder beside it,
    ``runs-checkpoints``: after an interruption it goes on there to the same bits. Workers of Dask,
    whose disks may be other ones, leave none.

    Parameters
    ----------
    n_jobs
        Runs at a time; None for what ``joblib.parallel_config`` says, or one on each core. On a
        GPU they share it.
    device
        "cpu" or "cuda", with a number if there are several.

    Raises
    ------
    InputError
        If PyTorch is not installed, or has no such device, or n_jobs is 0.

    Examples
    --------
    ``sweep(preset("transformer-phases"), engine=network_engine(device="cuda"))``
    """
    from effective_theory.shell import require_extra

    require_extra("validation", "torch")
    from validation.engine.devices import device_named

    return NetworkEngine(jobs("n_jobs", n_jobs), str(device_named(device)))

"""``sweep``: run a grid in PyTorch and leave its pictures and tables."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from effective_theory.shell import require_extra
from phase_diagrams.commands.sweep import LocalSweep

if TYPE_CHECKING:
    from validation.engine.engine import TorchEngine


@dataclass(frozen=True)
class TorchSweep(LocalSweep):
    """Run a grid of toy models in PyTorch, many at a time; the same command resumes and extends.

    Leaves phases.png, steps.png and runs.csv in a folder named by PyTorch, device and type, and
    majority.png where there are several seeds; the store is that of the simulator's sweep of this
    name, where results stand beside its own.
    """

    out: Path | None = None
    """Folder of the store without --store, and of the folder torch-DEVICE-TYPE for pictures and
    tables (default: results/NAME)."""
    device: str | None = None
    """cpu or cuda (default: the GPU, where there is one)."""
    dtype: Literal["float32", "float64"] = "float32"
    """Type of all numbers."""
    cells_per_batch: int | None = None
    """Runs that are trained together (default: what suits the device)."""

    @property
    def engine(self) -> "TorchEngine":
        """The engine that the options describe."""
        require_extra("validation", "torch")
        import torch

        from validation.engine.engine import torch_engine

        dtype = {"float32": torch.float32, "float64": torch.float64}[self.dtype]
        return torch_engine(self.device, dtype, self.cells_per_batch)

    def place(self) -> tuple[str, Path, Path]:
        """Return the sweep's name, the folder of its results and its store."""
        name, out, store = super().place()
        # The simulator's pictures stay as they are.
        return name, out / self.engine.identity, store

    def run(self) -> None:
        """Run the sweep and leave its files."""
        self.run_with(self.engine)

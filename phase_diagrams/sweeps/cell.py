"""Cell: one run of a sweep, as a recipe."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from phase_diagrams.sweeps.identity import canonical_json, cell_configuration, identify
from phase_diagrams.sweeps.registry import system_of
from phase_diagrams.sweeps.seeds import Seed
from phase_diagrams.sweeps.starts import Recipe, start
from phase_diagrams.sweeps.systems import Budget, System


@dataclass(frozen=True)
class Cell:
    """One run of a sweep, as a recipe: no weights.

    Attributes
    ----------
    index
        Place in the diagram: one index for each axis, then the seed's.
    model, task, train_size, start, seed
        What determines the run: the settings of its system, such as a ToyModel, the task, the
        number of training samples, the name of the start and the (split, initialisation) seeds.
    """

    index: tuple[int, ...]
    model: Any
    task: Any
    train_size: Any
    start: str
    seed: Seed

    @property
    def system(self) -> System:
        """The system whose run it is."""
        return system_of(self.model)

    @property
    def budget(self) -> Budget:
        """How long the run may go on, and when it stops before."""
        return self.system.budget(self.model)

    @property
    def state_shape(self) -> tuple[int, int]:
        """Rows and columns of what is kept of the last state."""
        state = self.system.state
        return (0, 0) if state is None else state.shape(self.model, self.task)

    @property
    def content(self) -> dict[str, Any]:
        """What determines the run, without the budget and when to stop, as plain values."""
        system = self.system
        batches = start(system, self.start).batches
        return cell_configuration(
            system, self.model, self.task, self.train_size, self.start, self.seed, batches
        )

    @cached_property
    def configuration(self) -> str:
        """What determines the run, without the budget and when to stop, as canonical JSON."""
        return canonical_json(self.content)

    @cached_property
    def cell_id(self) -> str:
        """Hash of the configuration."""
        return identify(self.configuration)

    def draw(self, recipe: Recipe | None = None) -> tuple[Any, Any]:
        """Return the data and the start of the run, for the toy model a Dataset and InitialState.

        Parameters
        ----------
        recipe
            What draws them; by default the registered start of this name.
        """
        recipe = recipe if recipe is not None else start(self.system, self.start).recipe
        return recipe(self.model, self.task, self.train_size, self.seed)

    def split(self) -> Any:
        """Return the data alone, for the toy model a Dataset.

        The start is drawn only where the recipe needs it for the data.
        """
        registered = start(self.system, self.start)
        return registered.draw_split(self.model, self.task, self.train_size, self.seed)

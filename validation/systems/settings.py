"""What can be swept of a network and its training; nothing here loads PyTorch."""

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, ClassVar, Literal, get_args

from effective_theory import BinaryOperation, InputError
from effective_theory.checks import fraction, integer, non_negative, shown
from validation.training.optimisation import Loss, Optimisation, Optimiser
from validation.training.plan import Plan

if TYPE_CHECKING:
    from validation.data.images import ImageTask
    from validation.networks.network import Network
    from validation.networks.pair_network import PairNetwork

StopWhen = Literal["accuracies", "never"]


@dataclass(frozen=True)
class NetworkSettings(Optimisation):
    """How a network is trained; those of each network add what it is made of.

    Parameters
    ----------
    optimiser and what follows it
        As `Optimisation` has them.
    init_scale
        Factor on all initial matrices, embeddings among them.
    steps
        Budget in updates; a multiple of ``evaluate_every``.
    evaluate_every
        Updates between two evaluations, to which crossings are known.
    train_threshold, test_threshold
        Accuracies whose first evaluations are noted.
    stop_when
        "accuracies" if a run ends when both are reached, "never" if it goes on.

    Raises
    ------
    InputError
        If a field is out of its range, or steps are no multiple of ``evaluate_every``.
    """

    init_scale: float = 1.0
    steps: int = 8000
    evaluate_every: int = 10
    train_threshold: float = 0.95
    test_threshold: float = 0.95
    stop_when: StopWhen = "accuracies"

    #: Field that says how many columns its last state has.
    state_width: ClassVar[str] = "dimension"
    #: Whether ``init_scale`` is a factor on biases, too.
    scales_biases: ClassVar[bool] = False
    #: Numbers that an attention head has, or a multiple of them.
    numbers_of_head: ClassVar[int] = 1

    def __post_init__(self) -> None:
        if not isinstance(self.stop_when, str) or self.stop_when not in get_args(StopWhen):
            raise InputError(
                f"stop_when must be one of {get_args(StopWhen)}, not {shown(self.stop_when)}."
            )
        super().__post_init__()
        integer("steps", self.steps, 1)
        every = self.plan.evaluate_every
        if self.steps % every:
            raise InputError(
                f"steps {self.steps} must be a multiple of evaluate_every, {every}: a longer run "
                "is looked at in the same updates."
            )
        non_negative("init_scale", self.init_scale)
        self._require_sizes_and_choices()

    def _require_sizes_and_choices(self) -> None:
        """Check what the network is made of, before anything is trained."""
        kinds = {each.name: each.type for each in fields(self)}
        for name, value in self.own.items():
            choices = get_args(kinds[name])
            if kinds[name] is int:
                integer(name, value, 1)
            elif choices and value not in choices:
                raise InputError(f"{name} must be one of {choices}, not {shown(value)}.")

    @property
    def own(self) -> dict[str, Any]:
        """What the network is made of, by the names that its constructor has for it."""
        shared = {each.name for each in fields(NetworkSettings)}
        names = (each.name for each in fields(self) if each.name not in shared)
        return {name: getattr(self, name) for name in names}

    @property
    def optimisation(self) -> Optimisation:
        """How weights are updated."""
        names = (each.name for each in fields(Optimisation))
        return Optimisation(**{name: getattr(self, name) for name in names})

    @property
    def plan(self) -> Plan:
        """How long the network is trained, and how often it is looked at."""
        return Plan(
            updates=self.steps,
            evaluate_every=self.evaluate_every,
            train_threshold=self.train_threshold,
            test_threshold=self.test_threshold,
            stop_at_both=self.stop_when == "accuracies",
        )

    @property
    def columns(self) -> int:
        """Columns of the table that a run's last state is: its embeddings' width."""
        width: int = getattr(self, self.state_width)
        return width

    def made(self, task: Any) -> "Network":
        """Return the network with weights from torch's generator; see `network`."""
        raise NotImplementedError

    def network(self, task: Any, seed: int) -> Any:
        """Return the network for a task, its weights drawn from a seed."""
        import torch

        from validation.training.loop import begun

        network = begun(lambda: self.made(task), seed)
        with torch.no_grad():
            for weights in network.parameters():
                if weights.ndim > 1 or self.scales_biases:
                    weights.mul_(self.init_scale)
        return network


@dataclass(frozen=True)
class OneLayerSettings(NetworkSettings):
    """Hu's transformer B; see `validation.networks.one_layer_transformer`."""

    weight_decay: float = 1.0
    warm_up: int = 10
    dimension: int = 128
    heads: int = 4
    hidden: int = 512
    initialisation: Literal["fan_in", "torch"] = "fan_in"

    def made(self, task: BinaryOperation) -> "PairNetwork":
        """Return the network with weights from torch's generator."""
        from validation.networks.one_layer_transformer import OneLayerTransformer

        return OneLayerTransformer(task.symbols, task.classes, **self.own)


@dataclass(frozen=True)
class PowerSettings(NetworkSettings):
    """Power's transformer; see `validation.networks.power_transformer`."""

    weight_decay: float = 1.0
    warm_up: int = 10
    dimension: int = 128
    heads: int = 4
    hidden: int = 512
    blocks: int = 2
    dropout: float = 0.0

    numbers_of_head: ClassVar[int] = 2

    def __post_init__(self) -> None:
        super().__post_init__()
        fraction("dropout", self.dropout)

    def made(self, task: BinaryOperation) -> "PairNetwork":
        """Return the network with weights from torch's generator."""
        from validation.networks.power_transformer import PowerTransformer

        return PowerTransformer(task.symbols, task.classes, **self.own)


@dataclass(frozen=True)
class LiuSettings(NetworkSettings):
    """Liu's transformer; see `validation.networks.liu_transformer`."""

    dimension: int = 256
    hidden: int = 256
    layers: int = 2
    dropout: float = 0.0
    embedding_scale: float = 1.0
    embedding_lr: float | None = 1e-3
    embedding_weight_decay: float | None = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        fraction("dropout", self.dropout)
        non_negative("embedding_scale", self.embedding_scale)

    def made(self, task: BinaryOperation) -> "PairNetwork":
        """Return the network with weights from torch's generator."""
        from validation.networks.liu_transformer import LiuTransformer

        return LiuTransformer(task.symbols, task.classes, **self.own)


@dataclass(frozen=True)
class MLPSettings(NetworkSettings):
    """Hu's MLP; see `validation.networks.mlp`."""

    optimiser: Optimiser = "adam"
    betas: tuple[float, float] = (0.9, 0.999)
    width: int = 512
    layers: int = 2
    inputs: Literal["concatenated", "summed", "embedded"] = "concatenated"
    dimension: int = 128

    @property
    def columns(self) -> int:
        """Numbers that stand for each symbol first."""
        return self.dimension if self.inputs == "embedded" else self.width

    def made(self, task: BinaryOperation) -> "PairNetwork":
        """Return the network with weights from torch's generator."""
        from validation.networks.mlp import MLP

        return MLP(task.symbols, task.classes, **self.own)


@dataclass(frozen=True)
class LSTMSettings(NetworkSettings):
    """Hu's LSTM; see `validation.networks.lstm`."""

    lr: float = 1e-2
    optimiser: Optimiser = "adam"
    betas: tuple[float, float] = (0.9, 0.999)
    hidden: int = 20

    state_width: ClassVar[str] = "hidden"

    def made(self, task: BinaryOperation) -> "PairNetwork":
        """Return the network with weights from torch's generator."""
        from validation.networks.lstm import LSTM

        return LSTM(task.symbols, task.classes, **self.own)


@dataclass(frozen=True)
class ConcatSettings(NetworkSettings):
    """The small cross-check; see `validation.networks.concat_network`."""

    lr: float = 3e-2
    weight_decay: float = 0.03
    betas: tuple[float, float] = (0.9, 0.999)
    dimension: int = 128
    width: int = 128

    def made(self, task: BinaryOperation) -> "PairNetwork":
        """Return the network with weights from torch's generator."""
        from validation.networks.concat_network import ConcatNetwork

        return ConcatNetwork(task.symbols, task.classes, **self.own)


@dataclass(frozen=True)
class QuadraticSettings(NetworkSettings):
    """The quadratic network of Mohamadi et al.; see `validation.networks.quadratic_network`.

    With weight decay its optimiser is another than "adam", or ``exact_tail`` is False.
    """

    optimiser: Optimiser = "adam"
    betas: tuple[float, float] = (0.9, 0.999)
    exact_tail: bool = True
    width: int = 184

    state_width: ClassVar[str] = "width"

    def made(self, task: BinaryOperation) -> "PairNetwork":
        """Return the network with weights from torch's generator."""
        from validation.networks.quadratic_network import QuadraticNetwork

        return QuadraticNetwork(task.symbols, task.classes, **self.own)


@dataclass(frozen=True)
class ImageSettings(NetworkSettings):
    """The MLP on images of Liu et al. and Omnigrok; see `validation.networks.image_mlp`.

    ``lr`` is the learning rate of the last layer, the decoder, ``embedding_lr`` that of the layers
    before it; ``init_scale`` is a factor on all parameters.
    """

    state_width: ClassVar[str] = "width"
    scales_biases: ClassVar[bool] = True

    embedding_lr: float | None = 1e-3
    weight_decay: float = 0.1
    betas: tuple[float, float] = (0.9, 0.999)
    loss: Loss = "mse"
    init_scale: float = 9.0
    steps: int = 10_000
    evaluate_every: int = 100
    train_threshold: float = 0.9
    test_threshold: float = 0.6
    width: int = 200
    layers: int = 2

    def made(self, task: "ImageTask") -> "Network":
        """Return the network with weights from torch's generator."""
        from validation.networks.image_mlp import ImageMLP

        return ImageMLP(task.images.shape[1], task.classes, **self.own)


SETTINGS: dict[str, type[Any]] = {
    "one_layer_transformer": OneLayerSettings,
    "power_transformer": PowerSettings,
    "liu_transformer": LiuSettings,
    "mlp": MLPSettings,
    "lstm": LSTMSettings,
    "concat_network": ConcatSettings,
    "quadratic_network": QuadraticSettings,
}

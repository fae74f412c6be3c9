"""The loop that trains every network: update, evaluate, note, stop."""

import hashlib
import math
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from effective_theory import BinaryOperation, Dataset, InputError, strict_test
from effective_theory.checks import integer, of_type, path_of
from effective_theory.files import require_writable
from effective_theory.mirrors import FEW_STRICT
from effective_theory.progress import progress_bar
from validation.engine.precision import full_precision
from validation.networks.network import Network
from validation.training.checkpoint import (
    CHECKPOINT,
    Checkpoint,
    read_checkpoint,
    write_checkpoint,
)
from validation.training.curve import (
    COLUMNS,
    Crossings,
    crossings_of,
    decisive_accuracy,
    first_reached,
)
from validation.training.losses import losses, objective
from validation.training.optimisation import Optimisation
from validation.training.plan import Plan
from validation.training.updates import Updates

AnyNetwork = TypeVar("AnyNetwork", bound=Network)

#: ``(network) -> number``, of a network in evaluation mode.
NetworkMeasure = Callable[[Any], float]


@dataclass(frozen=True, eq=False)
class NetworkRun:
    """What became of a network.

    Attributes
    ----------
    status
        "finished", "stopped" (at what the plan stops for) or "diverged" (the train loss is not
        finite).
    crossings
        When it reached its thresholds.
    diverged_step
        Number of completed updates at the first loss that was not finite; None unless diverged.
    updates_run
        Number of completed updates.
    strict_samples
        Number of test samples whose mirror is not in training; None where the operation is not
        commutative. Without any, test accuracy is not defined, and its step None.
    curve
        Columns by name, each of shape (evaluations,): "update", "train_loss", "test_loss",
        "train_accuracy", "plain_test_accuracy", "strict_test_accuracy", which is NaN where it is
        not defined, then the measures.
    network
        The network in its last state.
    """

    status: Literal["finished", "stopped", "diverged"]
    crossings: Crossings
    diverged_step: int | None
    updates_run: int
    strict_samples: int | None
    curve: dict[str, NDArray[np.float64]] = field(repr=False)
    network: Any = field(repr=False)

    def __str__(self) -> str:
        """Return when it learned, in one line, plain test accuracy beside the strict one."""
        c, absent = self.crossings, f"not within {self.updates_run} updates"
        parts = [
            f"{self.status} after {self.updates_run} updates",
            f"train {absent if c.train_step is None else c.train_step}",
        ]
        test = absent if c.test_step is None else str(c.test_step)
        test = "not defined" if self.strict_samples == 0 else test
        if self.strict_samples is None:
            parts.append(f"test {test}")
        else:
            plain = absent if c.plain_test_step is None else str(c.plain_test_step)
            few = "few: " if self.strict_samples < FEW_STRICT else ""
            parts.append(f"strict test {test} ({few}{self.strict_samples} samples), plain {plain}")
        return ", ".join(parts)


def begun(make: Callable[[], AnyNetwork], seed: int) -> AnyNetwork:
    """Return the network that a function makes with torch's CPU generator at a seed.

    The generator is put back as it was.

    Parameters
    ----------
    make
        Called with nothing, returns a network.
    seed
        Of the initial weights.

    Raises
    ------
    InputError
        If the seed is no integer from 0 to 2**64 - 1, or ``make`` returns no network.

    Examples
    --------
    ``begun(lambda: OneLayerTransformer(31, 31, dimension=64), seed=0)``
    """
    with torch.random.fork_rng(devices=[]):
        # Not torch.manual_seed, which also seeds GPUs.
        torch.default_generator.manual_seed(integer("seed", seed, 0, 2**64 - 1))
        made = make()
        of_type("make", made, Network, "a function that returns a network")
        return made


@full_precision()
def train_network(
    network: Network,
    dataset: Dataset,
    optimisation: Optimisation,
    plan: Plan,
    *,
    seed: int,
    measures: Mapping[str, NetworkMeasure] | None = None,
    checkpoint: str | Path | None = None,
    checkpoint_every: int = 1000,
    progress: bool = False,
) -> NetworkRun:
    """Train a network on the samples of a task, in place, and return what became of it.

    Parameters
    ----------
    network
        What is trained; its dtype and device are those of the training, without TF32.
    dataset
        A task with its training set.
    optimisation, plan
        How it is updated, for how long, and when it is looked at.
    seed
        Of batches, noise and dropout. Each update draws from a stream of its own, so that a
        resumed training goes on as the uninterrupted one does.
    measures
        Further numbers for the curve, by name; taken at each evaluation.
    checkpoint
        File that the training goes on from, with the network as it began, and leaves every
        ``checkpoint_every`` updates, at the next evaluation, and at its end. On one machine with
        the same versions, threads and ``compiled`` the curve is the same bit for bit.
    checkpoint_every
        Updates between two checkpoints.
    progress
        Show the updates on stderr.

    Returns
    -------
    NetworkRun
        Its curve begins at update 0; a divergence ends the training.

    Raises
    ------
    InputError
        If an argument is wrong, the task is none of the network's, the batch is larger than the
        training set, or the checkpoint is damaged, cannot be written or is one of another training.
    """
    training = _Training(network, dataset, optimisation, plan, integer("seed", seed, 0), measures)
    every = integer("checkpoint_every", checkpoint_every, 1)
    file = None if checkpoint is None else path_of("checkpoint", checkpoint)
    if file is not None:
        require_writable(file, CHECKPOINT)
        if file.exists():
            training.resume(file)
    with progress_bar(
        plan.updates, unit="update", initial=training.update, progress=progress
    ) as done:
        saved, has_ended = training.update, training.has_ended
        while not has_ended:
            before = training.update
            with training.own_generators():
                training.advance()
            done(training.update - before)
            has_ended = training.has_ended
            # What diverged begins again from before: its last state is none to go on from.
            due = has_ended or training.update - saved >= every
            if file is not None and due and not training.has_diverged:
                training.save(file)
                saved = training.update
    return training.result()


class _Training:
    """A network, its data and what is known of it so far."""

    def __init__(
        self,
        network: Network,
        dataset: Dataset,
        optimisation: Optimisation,
        plan: Plan,
        seed: int,
        measures: Mapping[str, NetworkMeasure] | None,
    ) -> None:
        of_type("network", network, Network, "a network such as OneLayerTransformer")
        of_type("dataset", dataset, Dataset, "a Dataset such as Dataset.split() returns")
        of_type("optimisation", optimisation, Optimisation, "an Optimisation")
        of_type("plan", plan, Plan, "a Plan such as Plan(1000)")
        task, inputs = dataset.task, network.inputs_of(dataset.task)
        size = optimisation.batch_size
        if dataset.train_size == 0:
            raise InputError("dataset has no training samples; choose a larger train_size.")
        if size is not None and size > dataset.train_size:
            raise InputError(
                f"batch_size must be at most the {dataset.train_size} training samples, not {size}."
            )
        self.network, self.plan, self.seed = network, plan, seed
        self.dataset, self.optimisation = dataset, optimisation
        self.measures = dict(measures or {})
        weights = next(network.parameters())
        device = weights.device
        self.device = device
        # Numbers have the type of the weights, indices their own.
        self.inputs = inputs.to(device, weights.dtype if inputs.is_floating_point() else None)
        self.labels = torch.tensor(task.labels, device=device)
        self.train = torch.tensor(dataset.train, device=device)
        self.test = torch.tensor(dataset.test, device=device)
        strict = strict_test(dataset) if isinstance(task, BinaryOperation) else None
        self.strict = None if strict is None else torch.tensor(strict, device=device)
        self.updates = Updates(network, optimisation)
        self.curve: dict[str, list[float]] = {name: [] for name in (*COLUMNS, *self.measures)}
        self.initial = _digest(network)
        self.update = 0
        self.diverged = torch.full((), -1, device=device)
        folds = plan.fold and network.has_fold and not network.uses_dropout
        self._forward = network.folded if folds else network.forward
        self._trained = torch.compile(self._forward) if plan.compiled else self._forward
        self._order = np.empty(0, np.int64)
        self._epoch = -1
        self.evaluate()

    @property
    def configuration(self) -> dict[str, Any]:
        """What determines the training but for its budget, as plain values."""
        train = np.ascontiguousarray(self.dataset.train)
        return {
            "network": str(self.network),
            "weights": self.initial,
            "device": self.device.type,
            "task": self.dataset.task.configuration(),
            "train": hashlib.sha256(train.tobytes()).hexdigest(),
            "optimisation": asdict(self.optimisation),
            "evaluate_every": int(self.plan.evaluate_every),
            "fold": self.plan.fold,
            "compiled": self.plan.compiled,
            "seed": self.seed,
            "measures": sorted(self.measures),
        }

    @property
    def has_ended(self) -> bool:
        """Whether the budget is run, it has diverged, or what it stops for was reached."""
        return self.update >= self.plan.updates or self.has_diverged or self._has_stopped

    @property
    def has_diverged(self) -> bool:
        """Whether a loss was not finite."""
        return self._diverged_at >= 0

    @property
    def _diverged_at(self) -> int:
        return int(self.diverged)

    @property
    def _has_stopped(self) -> bool:
        stop = self._stop
        return stop is not None and self.update >= stop

    @property
    def _stop(self) -> int | None:
        """The update from which it stops at an evaluation; None as far as the curve tells none."""
        if self.plan.stop_at is None and not self.plan.stop_at_both:
            return None
        curve, ends = self._columns(), []
        if self.plan.stop_at is not None:
            test = decisive_accuracy(curve, self.strict is not None)
            ends.append(first_reached(curve["update"], test, self.plan.stop_at))
        if self.plan.stop_at_both:
            found = self._crossings(curve)
            steps = (found.train_step, found.test_step)
            ends.append(None if None in steps else max(step for step in steps if step is not None))
        reached = [end for end in ends if end is not None]
        return min(reached) + self.plan.stop_after if reached else None

    def _crossings(self, curve: dict[str, NDArray[np.float64]]) -> Crossings:
        return crossings_of(
            curve,
            is_strict=self.strict is not None,
            train_threshold=self.plan.train_threshold,
            test_threshold=self.plan.test_threshold,
            in_a_row=self.plan.in_a_row,
        )

    def advance(self) -> None:
        """Train up to the next evaluation, and make it."""
        every = self.plan.evaluate_every
        end = min((self.update // every + 1) * every, self.plan.updates)
        self.network.train()
        for number in range(self.update, end):
            self._step(number)
        at = self._diverged_at
        self.update = end if at < 0 else at
        if at < 0:
            self.evaluate()

    def _seed_dropout(self, noise: int) -> None:
        """Seed torch's generator of the training's device, and no other one."""
        if self.device.type == "cuda":
            with torch.cuda.device(self.device):
                torch.cuda.manual_seed(noise)
        else:
            torch.default_generator.manual_seed(noise)

    def own_generators(self) -> AbstractContextManager[None]:
        """Put torch's own generators, from which dropout draws, back as they were."""
        devices = [self.device] if self.device.type == "cuda" else []
        return torch.random.fork_rng(devices, enabled=self.network.uses_dropout)

    def _step(self, number: int) -> None:
        chosen, generator = self._samples(number), None
        if self.optimisation.is_random or self.network.uses_dropout:
            noise = int(_stream(self.seed, "noise", number).integers(2**62))
            generator = torch.Generator(self.device).manual_seed(noise)
            if self.network.uses_dropout:
                self._seed_dropout(noise)
        inputs, labels = self.inputs[chosen], self.labels[chosen]
        loss = self.updates.step(
            number,
            lambda: objective(
                self._trained(inputs),
                labels,
                self.updates.parameters,
                loss=self.optimisation.loss,
                exact_tail=self.optimisation.exact_tail,
                l_inf_penalty=self.optimisation.l_inf_penalty,
            ),
            generator,
        )
        # Without a look at the number, for which a GPU would have to be waited for.
        is_first = ~loss.isfinite() & (self.diverged < 0)
        self.diverged = torch.where(is_first, number, self.diverged)

    def _samples(self, number: int) -> Tensor:
        """Return the training samples of an update; epochs are permutations, each of its own."""
        size = self.optimisation.batch_size
        if size is None:
            return self.train
        of_epoch = math.ceil(len(self.train) / size)
        epoch, place = divmod(number, of_epoch)
        if epoch != self._epoch:
            self._epoch = epoch
            self._order = _stream(self.seed, "batches", epoch).permutation(len(self.train))
        chosen = self._order[place * size : (place + 1) * size]
        return self.train[torch.from_numpy(chosen).to(self.device)]

    @torch.no_grad()
    def evaluate(self) -> None:
        """Note where the network is, or that it has diverged."""
        self.network.eval()
        logits = self._forward(self.inputs)
        loss = losses(logits, self.labels, self.optimisation.loss)
        train_loss = float(loss[self.train].double().mean())
        if self.update and not math.isfinite(train_loss):
            self.diverged.fill_(self.update)
            return
        right = logits.argmax(dim=1) == self.labels
        found = {
            "update": float(self.update),
            "train_loss": train_loss,
            "test_loss": float(loss[self.test].double().mean()),
            "train_accuracy": _share(right[self.train]),
            "plain_test_accuracy": _share(right[self.test]),
            "strict_test_accuracy": math.nan if self.strict is None else _share(right[self.strict]),
            **{name: float(measure(self.network)) for name, measure in self.measures.items()},
        }
        for name, value in found.items():
            self.curve[name].append(value)

    def save(self, path: Path) -> None:
        """Write the checkpoint."""
        # The folder was there at first: another sweep of the same store removes it when it ends.
        path.parent.mkdir(parents=True, exist_ok=True)
        state = Checkpoint(self.update, self.curve)
        write_checkpoint(path, self.configuration, state, self.network, self.updates)

    def resume(self, path: Path) -> None:
        """Go on from a checkpoint."""
        found = read_checkpoint(path, self.configuration, self.network, self.updates)
        if found.update > self.plan.updates:
            raise InputError(
                f"checkpoint {path} is at update {found.update}, beyond the plan's "
                f"{self.plan.updates}; give more updates, or name another file."
            )
        self.update, self.curve = found.update, found.curve
        every, stop = self.plan.evaluate_every, self._stop
        if stop is not None and math.ceil(stop / every) * every < self.update:
            raise InputError(
                f"checkpoint {path} is at update {self.update}, and the plan stops at {stop} "
                "already; let it stop as before, or name another file."
            )
        if self.update < self.plan.updates and self.update % every:
            # Where a shorter budget ended: the uninterrupted training is not looked at there.
            self.curve = {name: values[:-1] for name, values in self.curve.items()}

    def _columns(self) -> dict[str, NDArray[np.float64]]:
        return {name: np.array(values) for name, values in self.curve.items()}

    def result(self) -> NetworkRun:
        """Return what became of the network."""
        self.network.eval()
        curve, at = self._columns(), self._diverged_at
        status: Literal["finished", "stopped", "diverged"] = "finished"
        if at >= 0:
            status = "diverged"
        elif self._has_stopped:
            status = "stopped"
        return NetworkRun(
            status=status,
            crossings=self._crossings(curve),
            diverged_step=at if at >= 0 else None,
            updates_run=self.update,
            strict_samples=None if self.strict is None else len(self.strict),
            curve=curve,
            network=self.network,
        )


def _digest(network: Network) -> str:
    """Return what tells a network's weights from others."""
    found = hashlib.sha256()
    for name, weights in network.named_parameters():
        found.update(f"{name} {weights.dtype}".encode())
        # NumPy has not all of torch's types.
        content = weights.detach().cpu().contiguous().flatten().view(torch.uint8)
        found.update(content.numpy().tobytes())
    return found.hexdigest()


def _share(right: Tensor) -> float:
    """Return the share of samples that are right; NaN of none.

    It is a quotient, as thresholds are: a mean on a GPU is a product with 1 / n, which may miss
    them by the last bit.
    """
    return int(right.sum()) / len(right) if len(right) else math.nan


def _stream(seed: int, role: Literal["batches", "noise"], number: int) -> np.random.Generator:
    """Return the generator of one role for one epoch or update."""
    key = (("batches", "noise").index(role), number)
    return np.random.default_rng(np.random.SeedSequence(entropy=seed, spawn_key=key))

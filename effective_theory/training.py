"""Training the toy model: the compiled loop, driven in calls short enough to be interrupted."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from effective_theory.checks import InputError, RandomSource, integer, is_sequence, of_type
from effective_theory.dataset import Dataset, operation_of
from effective_theory.history import History
from effective_theory.kernels import layout, losses
from effective_theory.kernels import training as kernels
from effective_theory.kernels.compilation import is_compiled
from effective_theory.minibatches import Draw
from effective_theory.notes import is_worker, note
from effective_theory.outcome import Status, TrainingRun
from effective_theory.progress import progress_bar
from effective_theory.representation import samples_by_label
from effective_theory.task import BinaryOperation
from effective_theory.tasks import Addition
from effective_theory.toy_model import InitialState, ToyModel

Array = NDArray[np.float32]

_STATUS: dict[int, Status] = {
    kernels.FINISHED: "finished",
    kernels.STOPPED: "stopped",
    kernels.DIVERGED: "diverged",
}
_STOP_WHEN = {
    "never": kernels.STOP_NEVER,
    "accuracies": kernels.STOP_ACCURACIES,
    "all": kernels.STOP_ALL,
}
_LOSS = {"mse": losses.MSE, "cross_entropy": losses.CROSS_ENTROPY}

#: The kernel's measurements, in its order.
_MEASUREMENTS = ("train_loss", "test_loss", "train_accuracy", "test_accuracy", "rqi")

#: A history of more records would fill the memory.
MOST_RECORDS = 10**7
#: Numbers of all recorded embeddings, of four bytes each.
MOST_NUMBERS = 10**9

#: Samples that one call of the compiled loop trains on: about 1000 updates of the default task.
_SAMPLES_PER_CALL = 55_000


def train(
    model: ToyModel,
    dataset: Dataset,
    initial_state: InitialState | None = None,
    *,
    rng: RandomSource | None = None,
    record_every: int | None = None,
    record_at: Sequence[int] | NDArray[np.int64] | None = None,
    progress: bool = False,
) -> TrainingRun:
    """Train the toy model in float32 and measure it after every update.

    Parameters
    ----------
    model
        Hyper-parameters.
    dataset
        Task and split; neither training nor test set may be empty.
    initial_state
        Where to start; without it ``rng`` is required and a random start is drawn.
    rng
        Int, SeedSequence or Generator for the random start.
    record_every
        Record a history at every multiple of this number of updates, from update 0.
    record_at
        Record at these updates instead; those beyond the budget are left out.
    progress
        Show progress on stderr: a bar in terminals and notebooks, in logs a line now and then.

    Returns
    -------
    TrainingRun
        The outcome: the same bits for the same arguments, whatever number of threads the machine
        has. A history ends with the last state, unless the run diverged.

    Raises
    ------
    InputError
        If both or neither of ``initial_state`` and ``rng`` are given, the training or the test set
        is empty, ``batch_size`` exceeds the training set, the start does not fit model and task, or
        an argument is wrong.

    Examples
    --------
    >>> from effective_theory import Addition, Dataset, ToyModel, train
    >>> dataset = Dataset.split(Addition(p=10), 45, rng=5)
    >>> run = train(ToyModel(steps=200), dataset, rng=0)
    >>> run.status, run.steps_run
    ('finished', 200)
    """
    of_type("model", model, ToyModel, "a ToyModel")
    task = operation_of(dataset)
    if initial_state is None:
        if rng is None:
            raise InputError("rng is required without initial_state: give an int or a Generator.")
        initial_state = InitialState.random(model, task, rng)
    elif rng is not None:
        raise InputError("rng must be None where initial_state is given: nothing is drawn.")
    of_type("initial_state", initial_state, InitialState, "an InitialState; give a seed as rng=..")
    _require_trainable(model, dataset)
    initial_state.require_fit(model, task)
    records = _records(model.steps, record_every, record_at)
    if len(records) * initial_state.embeddings.size > MOST_NUMBERS:
        raise InputError(
            f"record_every or record_at asks for {len(records)} records of "
            f"{initial_state.embeddings.size} numbers each, over {MOST_NUMBERS:g} together; ask "
            "for fewer."
        )
    loop = _Loop(model, dataset, initial_state, records)
    of_type("progress", progress, bool, "True or False")
    with progress_bar(model.steps, unit="update", progress=progress) as done:
        while loop.status == kernels.RUNNING:
            before = loop.update
            loop.advance()
            done(loop.update - before)
    return loop.result()


def compile_kernels() -> None:
    """Compile the training loop, or load it from disk, so that workers find it ready.

    Compilation takes a while; a line on stderr says so.
    """
    if not is_compiled(kernels.advance) and not is_worker():
        note("compiling the simulator ..")
    task = Addition(2)
    dataset = Dataset(task, [0, 1])
    train(ToyModel(width=1, target_dim=1, steps=1), dataset, rng=0)


def _require_trainable(model: ToyModel, dataset: Dataset) -> None:
    dataset.operation.matrix_side(model.embedding_dim)
    if dataset.train_size == 0 or dataset.train_size == dataset.task.size:
        raise InputError(
            f"dataset must leave training and test samples: train_size {dataset.train_size} of "
            f"{dataset.task.size} does not; choose from 1 to {dataset.task.size - 1}."
        )
    if model.batch_size is not None and model.batch_size > dataset.train_size:
        raise InputError(
            f"batch_size must be at most the train_size {dataset.train_size}, "
            f"not {model.batch_size}."
        )


def _records(
    steps: int, every: int | None, at: Sequence[int] | NDArray[np.int64] | None
) -> NDArray[np.int64]:
    """Sorted updates to record."""
    if every is not None and at is not None:
        raise InputError("record_every and record_at exclude each other; give one.")
    if every is not None:
        every = integer("record_every", every, 1)
        if steps // every > MOST_RECORDS:
            raise InputError(f"record_every must be larger: it makes over {MOST_RECORDS} records.")
        return np.arange(0, steps + 1, every, dtype=np.int64)
    if at is not None and not is_sequence(at):
        raise InputError(f"record_at must be a sequence of updates, not {at!r}.")
    updates = np.unique(
        [integer("record_at", update, 0) for update in (at if at is not None else [])]
    )
    return updates[updates <= steps].astype(np.int64)


def _samples(task: BinaryOperation, indices: NDArray[np.int64]) -> kernels.Samples:
    left, right = task.pairs[indices].T
    return kernels.Samples(
        np.ascontiguousarray(left), np.ascontiguousarray(right), task.labels[indices]
    )


def _parallelograms(task: BinaryOperation) -> kernels.Parallelograms:
    """Return what the kernel counts for RQI; nothing where RQI is not defined."""
    if task.residual_threshold is not None:
        return kernels.Parallelograms(*samples_by_label(task))
    nothing = np.empty(0, np.int64)
    return kernels.Parallelograms(nothing, nothing, np.zeros(1, np.int64))


def _rates(model: ToyModel) -> kernels.Rates:
    return kernels.Rates(
        embedding_lr=model.embedding_lr,
        embedding_weight_decay=model.embedding_weight_decay,
        embedding_penalty=model.embedding_penalty,
        decoder_lr=model.decoder_lr,
        decoder_weight_decay=model.decoder_weight_decay,
        epsilon=model.adam_epsilon,
    )


def _goal(model: ToyModel, task: BinaryOperation) -> kernels.Goal:
    return kernels.Goal(
        steps=model.steps,
        stop_when=_STOP_WHEN[model.stop_when],
        train_accuracy=model.train_threshold,
        test_accuracy=model.test_threshold,
        rqi=model.rqi_threshold,
        residual=task.residual_threshold or 0.0,
    )


class _Loop:
    """One run and where it is; `advance` is one call of the compiled loop."""

    def __init__(
        self,
        model: ToyModel,
        dataset: Dataset,
        start: InitialState,
        records: NDArray[np.int64],
    ) -> None:
        self.model, self.dataset = model, dataset
        self.status, self.update = kernels.RUNNING, 0
        self.state = self._state(start)
        self.problem = self._problem(start)
        self.rates, self.goal = _rates(model), _goal(model, dataset.operation)
        self.draw: Draw | None = None
        if model.batch_size is not None and start.minibatches is not None:
            self.draw = start.minibatches.begin(dataset, model.batch_size)
        self.outcome = kernels.Outcome(
            first_steps=np.full(3, -1, np.int64), best=np.zeros(2), measured=np.full(5, np.nan)
        )
        shape = (len(records), *start.embeddings.shape)
        self.records = kernels.Records(
            records, np.full((len(records), 5), np.nan), np.empty(shape, np.float32)
        )

    def _state(self, start: InitialState) -> kernels.State:
        """Return the start with moments of zero, its decoder in the kernel's layout."""
        size = layout.decoder_size(*self._sizes())
        decoder = layout.aligned_zeros(size)
        for layer, weights, biases in zip(
            layout.layers(decoder, *self._sizes()), start.weights, start.biases, strict=True
        ):
            layer[:, :-1], layer[:, -1] = weights, biases
        return kernels.State(
            embeddings=start.embeddings.copy(),
            embedding_moments=np.zeros((2, start.embeddings.size), np.float32),
            decoder=decoder,
            decoder_moments=layout.aligned_zeros(2 * size).reshape(2, size),
        )

    def _problem(self, start: InitialState) -> kernels.Problem:
        model, task = self.model, self.dataset.operation
        # Cross-entropy has no targets, but the compiled loop takes the outputs' number from them.
        targets = np.zeros((task.classes, model.outputs(task)), np.float32)
        if start.targets is not None and model.loss == "mse":
            targets[:] = start.targets
        return kernels.Problem(
            train=_samples(task, self.dataset.train),
            test=_samples(task, self.dataset.test),
            parallelograms=_parallelograms(task),
            targets=targets,
            loss=_LOSS[model.loss],
            width=model.width,
            side=task.matrix_side(model.embedding_dim),
        )

    def _sizes(self) -> tuple[int, int, int]:
        """Return the units of the decoder's input, hidden layers and output."""
        inputs, width, _, outputs = self.model.layer_sizes(self.dataset.operation)
        return inputs, width, outputs

    def advance(self) -> None:
        """Train for about a thousand updates of the default task, or to the end."""
        updates = max(1, min(1000, _SAMPLES_PER_CALL // self.dataset.task.size))
        until = min(self.update + updates, self.model.steps + 1)
        self.status, self.update = kernels.advance(
            self.state,
            self.problem,
            self.rates,
            self._minibatches(until - self.update),
            self.update,
            until,
            self.goal,
            self.outcome,
            self.records,
        )

    def _minibatches(self, updates: int) -> NDArray[np.int64]:
        """Return the samples of each update; nothing for the full batch."""
        return np.empty((0, 0), np.int64) if self.draw is None else self.draw(updates)

    def _history(self) -> History | None:
        records = self.records
        if len(records.at) == 0:
            return None
        count = int(np.searchsorted(records.at, self.update))
        updates, rows = records.at[:count], records.measurements[:count]
        embeddings = records.embeddings[:count]
        if self.status != kernels.DIVERGED:
            updates = np.append(updates, self.update)
            rows = np.vstack([rows, self.outcome.measured])
            embeddings = np.concatenate([embeddings, self.state.embeddings[None]])
        measurements = dict(zip(_MEASUREMENTS, rows.T, strict=True))
        return History(update=updates, embeddings=embeddings, **measurements)

    def result(self) -> TrainingRun:
        """Return what became of the run."""
        first_steps, best, measured = self.outcome
        train_step, test_step, rqi_step = (int(k) if k >= 0 else None for k in first_steps)
        w1, w2, w3 = layout.layers(self.state.decoder, *self._sizes())
        return TrainingRun(
            model=self.model,
            dataset=self.dataset,
            status=_STATUS[self.status],
            train_step=train_step,
            test_step=test_step,
            rqi_step=rqi_step,
            diverged_step=self.update if self.status == kernels.DIVERGED else None,
            steps_run=self.update,
            train_accuracy=float(measured[kernels.TRAIN_ACCURACY]),
            test_accuracy=float(measured[kernels.TEST_ACCURACY]),
            best_train_accuracy=float(best[0]),
            best_test_accuracy=float(best[1]),
            rqi=float(measured[kernels.RQI]),
            embeddings=self.state.embeddings,
            weights=(w1[:, :-1].copy(), w2[:, :-1].copy(), w3[:, :-1].copy()),
            biases=(w1[:, -1].copy(), w2[:, -1].copy(), w3[:, -1].copy()),
            history=self._history(),
        )

"""The training loop: what it notes, when it stops, and how it goes on after kill -9."""

import io
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra [validation]")

from effective_theory import Addition, Dataset, InputError, ModularOperation  # noqa: E402
from validation.networks.concat_network import ConcatNetwork  # noqa: E402
from validation.networks.liu_transformer import LiuTransformer  # noqa: E402
from validation.networks.lstm import LSTM  # noqa: E402
from validation.networks.pair_network import PairNetwork  # noqa: E402
from validation.training.curve import crossings_of, first_reached  # noqa: E402
from validation.training.loop import begun, train_network  # noqa: E402
from validation.training.optimisation import Optimisation  # noqa: E402
from validation.training.plan import Plan  # noqa: E402

TASK = ModularOperation("x+y", 7)
DATASET = Dataset.split(TASK, 35, rng=0)
ADAMW = Optimisation("adamw", 1e-2, 0.1, batch_size=10, warm_up=3)


def network(seed: int = 0, **options: Any) -> PairNetwork:
    return begun(lambda: ConcatNetwork(7, 7, dimension=8, width=32, **options), seed)


def test_what_is_noted_is_what_the_network_says() -> None:
    run = train_network(network(), DATASET, ADAMW, Plan(60, evaluate_every=20), seed=1)
    assert run.curve["update"].tolist() == [0, 20, 40, 60] and run.status == "finished"
    logits = run.network(torch.tensor(TASK.pairs)).detach().double()
    right = (logits.argmax(dim=1).numpy() == TASK.labels).astype(float)
    assert run.curve["train_accuracy"][-1] == right[DATASET.train].mean()
    assert run.curve["plain_test_accuracy"][-1] == right[DATASET.test].mean()
    pairs = TASK.pairs.tolist()
    seen = {tuple(pairs[k]) for k in DATASET.train}
    strict = [k for k in DATASET.test if tuple(pairs[k][::-1]) not in seen]
    assert run.curve["strict_test_accuracy"][-1] == right[strict].mean()
    assert run.strict_samples == len(strict)
    loss = torch.nn.functional.cross_entropy(
        logits[DATASET.test.copy()], torch.tensor(TASK.labels[DATASET.test])
    )
    assert run.curve["test_loss"][-1] == pytest.approx(float(loss), rel=1e-5)
    assert f"(few: {len(strict)} samples), plain" in str(run)


def test_an_operation_that_does_not_commute_has_no_strict_test() -> None:
    dataset = Dataset.split(ModularOperation("x-y", 7), 35, rng=0)
    run = train_network(network(), dataset, ADAMW, Plan(20), seed=1)
    assert np.isnan(run.curve["strict_test_accuracy"]).all() and run.strict_samples is None
    assert run.crossings.test_step == run.crossings.plain_test_step
    assert "strict" not in str(run)


@pytest.mark.parametrize(
    ("values", "in_a_row", "expected"),
    [
        ([0, 0.5, 0.9, 0.2, 0.9, 0.9], 1, 20),
        ([0, 0.5, 0.9, 0.2, 0.9, 0.9], 2, 40),
        ([0, 0.5, 0.9, 0.2, 0.9, 0.9], 3, None),
        ([0.9], 1, 0),
        ([0.9], 2, None),
        ([0.1, np.nan], 1, None),
    ],
)
def test_a_crossing_is_stable_after_so_many_evaluations(
    values: list[float], in_a_row: int, expected: int | None
) -> None:
    updates = 10 * np.arange(len(values))
    assert first_reached(updates, np.array(values), 0.9, in_a_row) == expected


def test_strict_accuracy_decides_where_there_is_one() -> None:
    curve = {
        "update": np.array([0.0, 10, 20, 30]),
        "train_accuracy": np.array([0, 1, 1, 1.0]),
        "plain_test_accuracy": np.array([0, 1, 1, 1.0]),
        "strict_test_accuracy": np.array([0, 0, 0.95, 1.0]),
    }
    thresholds = {"train_threshold": 0.9, "test_threshold": 0.9, "in_a_row": 2}
    found = crossings_of(curve, is_strict=True, **thresholds)  # type: ignore[arg-type]
    assert (found.test_step, found.plain_test_step, found.stable_test_step) == (20, 10, 20)
    found = crossings_of(curve, is_strict=False, **thresholds)  # type: ignore[arg-type]
    assert found.test_step == 10


def test_a_strict_accuracy_of_no_sample_is_not_defined() -> None:
    """All pairs but two, whose mirrors are trained on: plain accuracy says nothing of them."""
    held = [TASK.pairs.tolist().index(pair) for pair in ([0, 1], [2, 5])]
    dataset = Dataset(TASK, np.delete(np.arange(TASK.size), held))
    run = train_network(network(), dataset, ADAMW, Plan(20, test_threshold=0.0), seed=0)
    assert run.strict_samples == 0 and run.crossings.plain_test_step == 0
    assert run.crossings.test_step is None and run.crossings.stable_test_step is None
    assert "strict test not defined (few: 0 samples)" in str(run)


def test_it_stops_after_what_it_waits_for() -> None:
    dataset = Dataset.split(ModularOperation("x-y", 7), 30, rng=0)
    plan = Plan(3000, evaluate_every=5, stop_at=0.1, stop_after=17)
    run = train_network(network(), dataset, Optimisation("adamw", 1e-2, 1.0), plan, seed=0)
    first = first_reached(run.curve["update"], run.curve["plain_test_accuracy"], 0.1)
    assert first is not None and run.status == "stopped" and run.updates_run == first + 20
    assert run.curve["update"][-1] == run.updates_run


def test_a_loss_that_is_not_finite_ends_the_run_with_its_update() -> None:
    wild = Optimisation("sgd", 1e30)
    run = train_network(network(), DATASET, wild, Plan(50), seed=0)
    assert run.status == "diverged" and run.diverged_step is not None
    assert 1 <= run.diverged_step == run.updates_run < 10
    assert run.curve["update"].tolist() == [0]


def test_a_last_state_whose_loss_is_not_finite_has_diverged() -> None:
    """Noticed before measures that would not take it, and not kept as a state to go on from."""
    huge = Optimisation("sgd", 1e30)

    def refuses(net: PairNetwork) -> float:
        if not net.embeddings.isfinite().all():
            raise InputError("embeddings are not finite")
        return 0.0

    run = train_network(network(), DATASET, huge, Plan(1, 1), seed=0, measures={"m": refuses})
    assert run.status == "diverged" and run.diverged_step == run.updates_run == 1
    assert run.curve["update"].tolist() == [0]


def test_what_diverged_diverges_again_from_its_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / "run.pt"
    huge = Optimisation("adamw", 0.1, 1e30)
    once, again = (
        train_network(network(), DATASET, huge, Plan(40), seed=0, checkpoint=path) for _ in range(2)
    )
    assert once.status == again.status == "diverged"
    assert once.diverged_step == again.diverged_step


def test_without_training_samples_nothing_is_trained() -> None:
    with pytest.raises(InputError, match="dataset has no training samples"):
        train_network(network(), Dataset(TASK, []), Optimisation("sgd", 0.1), Plan(1), seed=0)


def test_each_epoch_of_minibatches_has_each_sample_once(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[list[int]] = []
    plain = ConcatNetwork.folded

    def noted(self: ConcatNetwork, pairs: "torch.Tensor") -> "torch.Tensor":
        if torch.is_grad_enabled():
            seen.append((pairs[:, 0] * 7 + pairs[:, 1]).tolist())
        return plain(self, pairs)

    monkeypatch.setattr(ConcatNetwork, "folded", noted)
    train_network(network(), DATASET, ADAMW, Plan(8), seed=4)
    assert [len(batch) for batch in seen] == [10, 10, 10, 5] * 2
    epochs = [sum(seen[:4], []), sum(seen[4:], [])]
    assert [sorted(epoch) for epoch in epochs] == [DATASET.train.tolist()] * 2
    assert epochs[0] != epochs[1]


def test_measures_stand_in_the_curve() -> None:
    def norm(net: PairNetwork) -> float:
        return float(net.embeddings.detach().norm())

    measures = {"norm": norm}
    run = train_network(network(), DATASET, ADAMW, Plan(20), seed=1, measures=measures)
    assert run.curve["norm"][0] == norm(network()) and run.curve["norm"][-1] == norm(run.network)


#: Kills itself in the update of that number; without one it runs to the end.
TRAINING = """
import os, signal, sys
from pathlib import Path
import torch
torch.set_num_threads(1)
from effective_theory import Dataset, ModularOperation
from validation.networks.liu_transformer import LiuTransformer
from validation.training import updates
from validation.training.loop import begun, train_network
from validation.training.plan import Plan
from validation.training.optimisation import Optimisation

path, kill = Path(sys.argv[1]), int(sys.argv[2])
step = updates.Updates.step
def dying(self, number, *arguments):
    if number == kill:
        os.kill(os.getpid(), signal.SIGKILL)
    return step(self, number, *arguments)
updates.Updates.step = dying
network = begun(lambda: LiuTransformer(7, 7, dimension=16, hidden=16, dropout=0.1), 2)
dataset = Dataset.split(ModularOperation("x+y", 7), 35, rng=0)
chosen = Optimisation("adamw", 3e-3, 0.5, batch_size=16, weight_noise=0.01, update_noise=0.1)
run = train_network(
    network, dataset, chosen, Plan(90, evaluate_every=10), seed=3,
    checkpoint=path, checkpoint_every=20,
)
print({name: values.tolist() for name, values in run.curve.items()})
print(sum(float(w.detach().double().sum()) for w in network.parameters()))
"""


@pytest.mark.networks
def test_a_killed_training_resumes_to_the_same_curve_bit_for_bit(tmp_path: Path) -> None:
    def run(path: Path, kill: int = -1) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-c", TRAINING, str(path), str(kill)]
        return subprocess.run(command, capture_output=True, text=True, timeout=100)

    whole = run(tmp_path / "whole.pt")
    assert whole.returncode == 0, whole.stderr
    path = tmp_path / "killed.pt"
    for kill in (47, 71):
        assert run(path, kill).returncode == -9
    resumed = run(path)
    assert resumed.returncode == 0, resumed.stderr
    assert resumed.stdout == whole.stdout
    # It began where the last checkpoint was, not anew.
    found = torch.load(path, weights_only=True)
    assert found["update"] == 90


def test_a_checkpoint_goes_on_with_a_larger_budget(tmp_path: Path) -> None:
    path = tmp_path / "run.pt"
    train_network(network(), DATASET, ADAMW, Plan(20), seed=1, checkpoint=path)
    more = train_network(network(), DATASET, ADAMW, Plan(40), seed=1, checkpoint=path)
    whole = train_network(network(), DATASET, ADAMW, Plan(40), seed=1)
    for name, values in whole.curve.items():
        np.testing.assert_array_equal(more.curve[name], values)
    with pytest.raises(InputError, match=r"is at update 40, beyond the plan's 20"):
        train_network(network(), DATASET, ADAMW, Plan(20), seed=1, checkpoint=path)


def test_a_budget_that_ended_between_evaluations_leaves_no_trace(tmp_path: Path) -> None:
    path = tmp_path / "run.pt"
    short = train_network(network(), DATASET, ADAMW, Plan(25), seed=1, checkpoint=path)
    assert short.curve["update"].tolist() == [0, 10, 20, 25]
    more = train_network(network(), DATASET, ADAMW, Plan(40), seed=1, checkpoint=path)
    whole = train_network(network(), DATASET, ADAMW, Plan(40), seed=1)
    for name, values in whole.curve.items():
        np.testing.assert_array_equal(more.curve[name], values)


def test_a_checkpoint_beyond_an_earlier_stop_is_refused(tmp_path: Path) -> None:
    """The uninterrupted training would have ended before."""
    path, stops = tmp_path / "run.pt", Plan(40, stop_at=0.0)
    assert train_network(network(), DATASET, ADAMW, stops, seed=1).updates_run == 0
    train_network(network(), DATASET, ADAMW, Plan(40), seed=1, checkpoint=path)
    with pytest.raises(InputError, match="is at update 40, and the plan stops at 0 already"):
        train_network(network(), DATASET, ADAMW, stops, seed=1, checkpoint=path)


@pytest.mark.parametrize(
    ("changes", "differing"),
    [
        ({"seed": 2}, "seed"),
        ({"optimisation": Optimisation("adamw", 2e-2)}, "optimisation"),
        ({"plan": Plan(20, evaluate_every=5)}, "evaluate_every"),
        ({"dataset": Dataset.split(TASK, 35, rng=1)}, "train"),
        ({"network": begun(lambda: ConcatNetwork(7, 7, width=16), 0)}, "network, weights"),
        ({"network": network(9)}, "weights"),
        ({"network": network().double()}, "weights"),
    ],
)
def test_a_checkpoint_of_another_training_is_refused(
    changes: dict[str, Any], differing: str, tmp_path: Path
) -> None:
    path = tmp_path / "run.pt"
    usual: dict[str, Any] = {
        "network": network(), "dataset": DATASET, "optimisation": ADAMW, "plan": Plan(20), "seed": 1
    }  # fmt: skip
    train_network(**usual, checkpoint=path)
    usual["network"] = network()
    with pytest.raises(InputError, match=f"one of another training: {differing} differ"):
        train_network(**{**usual, **changes}, checkpoint=path)


def test_a_file_that_is_no_checkpoint_is_refused_and_left(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("no checkpoint")
    with pytest.raises(InputError, match="notes.txt"):
        train_network(network(), DATASET, ADAMW, Plan(10), seed=1, checkpoint=path)
    assert path.read_text() == "no checkpoint"
    good = tmp_path / "run.pt"
    train_network(network(), DATASET, ADAMW, Plan(10), seed=1, checkpoint=good)
    content = good.read_bytes()
    for damaged in (content[: len(content) // 2], content[:-200] + bytes(200)):
        good.write_bytes(damaged)
        with pytest.raises(InputError, match=r"checkpoint .*run.pt cannot be read"):
            train_network(network(), DATASET, ADAMW, Plan(20), seed=1, checkpoint=good)


def test_a_checkpoint_runs_no_code(tmp_path: Path) -> None:
    path = tmp_path / "run.pt"

    class Evil:
        def __reduce__(self) -> tuple[Any, ...]:
            return (Path.touch, (tmp_path / "touched",))

    buffer = io.BytesIO()
    torch.save({"version": 1, "configuration": Evil()}, buffer)
    path.write_bytes(buffer.getvalue())
    with pytest.raises(InputError, match="cannot be read"):
        train_network(network(), DATASET, ADAMW, Plan(10), seed=1, checkpoint=path)
    assert not (tmp_path / "touched").exists()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"network": torch.nn.Linear(2, 2)}, "network must be a network such as"),
        ({"dataset": Dataset.split(Addition(7), 20, rng=0)}, "the task 7 and 13"),
        ({"optimisation": Optimisation(batch_size=36)}, "at most the 35 training samples, not 36"),
        ({"plan": 10}, "plan"),
        ({"seed": -1}, "seed must"),
        ({"checkpoint_every": 0}, "checkpoint_every must"),
    ],
)
def test_wrong_arguments_are_named(changes: dict[str, Any], message: str) -> None:
    usual: dict[str, Any] = {
        "network": network(), "dataset": DATASET, "optimisation": ADAMW, "plan": Plan(20), "seed": 1
    }  # fmt: skip
    with pytest.raises(InputError, match=message):
        train_network(**{**usual, **changes})


@pytest.mark.parametrize(
    "fields",
    [
        {"updates": 0},
        {"evaluate_every": 0},
        {"in_a_row": 0},
        {"stop_after": -1},
        {"stop_at": 1.5},
        {"train_threshold": -0.1},
        {"fold": 1},
    ],
)
def test_what_is_no_plan_is_named(fields: dict[str, Any]) -> None:
    (name,) = fields
    with pytest.raises(InputError, match=name):
        Plan(**{"updates": 10, **fields})


def test_dropout_is_trained_without_the_fold(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(self: LiuTransformer, pairs: "torch.Tensor") -> "torch.Tensor":
        raise AssertionError("folded")

    monkeypatch.setattr(LiuTransformer, "folded", refused)
    dropped = begun(lambda: LiuTransformer(7, 7, dimension=8, hidden=8, dropout=0.2), 0)
    train_network(dropped, DATASET, ADAMW, Plan(3), seed=0)
    plain = begun(lambda: LiuTransformer(7, 7, dimension=8, hidden=8), 0)
    train_network(plain, DATASET, ADAMW, Plan(3, fold=False), seed=0)
    with pytest.raises(AssertionError, match="folded"):
        train_network(plain, DATASET, ADAMW, Plan(3), seed=0)


def test_the_users_stream_of_torch_goes_on_as_if_nothing_had_been_trained() -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    queued = torch.cuda._lazy_seed_tracker.get_calls()
    dropped = begun(lambda: LiuTransformer(7, 7, dimension=8, hidden=8, dropout=0.2), 0)
    train_network(dropped, DATASET, ADAMW, Plan(3), seed=0)
    assert torch.equal(torch.rand(3), expected)
    # Nor are seeds laid up for GPUs that are used later.
    assert torch.cuda._lazy_seed_tracker.get_calls() == queued


def test_a_training_may_have_any_type_of_torch(tmp_path: Path) -> None:
    file, plan = tmp_path / "state.pt", Plan(4, evaluate_every=2)
    whole = train_network(network().bfloat16(), DATASET, ADAMW, plan, seed=0)
    half = Plan(2, evaluate_every=2)
    train_network(network().bfloat16(), DATASET, ADAMW, half, seed=0, checkpoint=file)
    rest = train_network(network().bfloat16(), DATASET, ADAMW, plan, seed=0, checkpoint=file)
    np.testing.assert_array_equal(rest.curve["train_loss"], whole.curve["train_loss"])


def test_it_trains_in_full_precision() -> None:
    def precision(network: Any) -> float:
        return float(torch.backends.cudnn.rnn.fp32_precision == "ieee")

    lstm = begun(lambda: LSTM(7, 7, hidden=4), 0)
    run = train_network(lstm, DATASET, ADAMW, Plan(2), seed=0, measures={"precision": precision})
    assert run.curve["precision"].all()

"""One training step of the default model on one core, both accuracies and RQI included.

    python benchmarks/step.py

45 x 1-200-200-30, mse, full batch. The other side is a lean PyTorch loop: one forward pass of all
55 samples for loss and both accuracies, fused AdamW, one thread; it leaves RQI out.
"""

from collections.abc import Callable

import torch
from machine import describe_machine, interleaved_medians, pin_to_one_core
from torch.nn.functional import mse_loss

from effective_theory import Addition, Dataset, InitialState, ToyModel, train
from validation import PlainToyModel

UPDATES, REPEATS = 500, 15


def simulator(model: ToyModel, dataset: Dataset, state: InitialState) -> Callable[[], int]:
    """Return a function that makes UPDATES updates with the simulator."""
    return lambda: train(model, dataset, state).steps_run


def lean_pytorch(model: ToyModel, dataset: Dataset, state: InitialState) -> Callable[[], int]:
    """Return a function that makes UPDATES updates with PyTorch."""
    torch.set_num_threads(1)
    network = PlainToyModel(model, state, torch.float32)
    optimiser = torch.optim.AdamW(
        [
            {"params": [network.embeddings], "lr": model.embedding_lr},
            {"params": network.decoder.parameters(), "lr": model.decoder_lr},
        ],
        weight_decay=0.0,
        fused=True,
    )
    order = [*dataset.train, *dataset.test]
    pairs = torch.tensor(dataset.task.pairs[order])
    labels = torch.tensor(dataset.task.labels[order])
    left, right = pairs.T.contiguous()
    samples = dataset.train_size
    assert network.targets is not None
    expected = network.targets[labels[:samples]]

    def steps() -> int:
        for _ in range(UPDATES):
            outputs = network.decoder(network.embeddings[left] + network.embeddings[right])
            loss = mse_loss(outputs[:samples], expected)
            with torch.no_grad():
                right_answers = torch.cdist(outputs, network.targets).argmin(dim=1) == labels
                int(right_answers[:samples].sum()), int(right_answers[samples:].sum())
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        return UPDATES

    return steps


def main() -> None:
    """Print both times and their ratio."""
    core = pin_to_one_core()
    model = ToyModel(steps=UPDATES, stop_when="never")
    dataset = Dataset.split(Addition(10), 45, rng=5)
    state = InitialState.random(model, dataset.task, rng=0)
    sides = {
        "simulator": simulator(model, dataset, state),
        "lean PyTorch": lean_pytorch(model, dataset, state),
    }
    medians = interleaved_medians(sides, REPEATS)
    print(f"{describe_machine()}; core {core}; median of {REPEATS} x {UPDATES} updates")
    for name, seconds in medians.items():
        print(f"{name:14} {seconds * 1e6:7.1f} us a step, {seconds / medians['simulator']:5.2f}")


if __name__ == "__main__":
    main()

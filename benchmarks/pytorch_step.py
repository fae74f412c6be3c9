"""The training step in eager PyTorch, as lean as it gets: no module calls, fused AdamW."""

from collections.abc import Callable

import torch
from torch.nn.functional import cross_entropy, mse_loss

from effective_theory import Dataset, InitialState, ToyModel
from validation import PlainToyModel


def lean_pytorch(
    model: ToyModel, dataset: Dataset, state: InitialState, updates: int, *, with_rqi: bool = False
) -> Callable[[], int]:
    """Return a function that goes on for ``updates`` updates each time it is called.

    One forward pass of all samples serves the loss and both accuracies. Sums of embeddings are a
    product with a constant matrix, which is faster here than indexing and its backward pass.
    """
    torch.set_num_threads(1)
    network = PlainToyModel(model, dataset.operation, state, torch.float32)
    embeddings, decoder = network.embeddings, list(network.decoder.parameters())
    w1, b1, w2, b2, w3, b3 = decoder
    groups = [
        {
            "params": [embeddings],
            "lr": model.embedding_lr,
            "weight_decay": model.embedding_weight_decay,
        },
        {"params": decoder, "lr": model.decoder_lr, "weight_decay": model.decoder_weight_decay},
    ]
    optimiser = torch.optim.AdamW(groups, fused=True)
    order = [*dataset.train, *dataset.test]
    pairs, labels = (
        torch.tensor(a[order]) for a in (dataset.operation.pairs, dataset.operation.labels)
    )
    samples, targets = dataset.train_size, network.targets
    both = torch.zeros(len(order), len(embeddings))
    for column in pairs.T:
        both[torch.arange(len(order)), column] += 1.0
    expected = targets[labels[:samples]] if targets is not None else labels[:samples]
    half_square = 0.5 * targets.square().sum(dim=1) if targets is not None else None
    first, second = parallelograms(labels)
    threshold = dataset.operation.require_residual_threshold("RQI") if with_rqi else 0.0

    def check(outputs: torch.Tensor) -> None:
        scores = outputs
        if targets is not None and half_square is not None:
            scores = torch.addmm(half_square, outputs, targets.T, beta=-1)
        right_answers = scores.argmax(dim=1) == labels
        right_answers[:samples].sum().item(), right_answers[samples:].sum().item()
        if with_rqi:
            sums = both @ embeddings / embeddings.std(dim=0)
            residuals = (sums[first] - sums[second]).square().mean(dim=1)
            (residuals < threshold).float().mean().item()

    def steps() -> int:
        for _ in range(updates):
            h = torch.addmm(b1, both @ embeddings, w1.t()).tanh()
            h = torch.addmm(b2, h, w2.t()).tanh()
            outputs = torch.addmm(b3, h, w3.t())
            loss = (mse_loss if targets is not None else cross_entropy)(outputs[:samples], expected)
            with torch.no_grad():
                check(outputs)
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
        return updates

    return steps


def parallelograms(labels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the two samples of each parallelogram."""
    a, b = torch.triu_indices(len(labels), len(labels), offset=1)
    same = labels[a] == labels[b]
    return a[same], b[same]

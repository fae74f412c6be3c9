"""The paper's own Figure 6, met to the update from its seeded start."""

import pytest

from effective_theory import Addition, ToyModel, train
from phase_diagrams import figure6_start
from phase_diagrams.published import completed_updates

# (embedding_lr, decoder_lr, decoder_weight_decay) -> train and test index in the paper's table.
PUBLISHED = [
    ((1e-3, 1e-4, 0.0), (1650, 2076)),
    ((1e-3, 1e-4, 3.0), (2310, 3095)),
    ((1e-3, 10**-3.6, 0.0), (854, 923)),
    ((10**-2.25, 1e-3, 0.0), (258, 361)),
]


@pytest.mark.parametrize(("rates", "indices"), PUBLISHED)
def test_cells_of_figure_6_are_met(
    rates: tuple[float, float, float], indices: tuple[int, int]
) -> None:
    embedding_lr, decoder_lr, decay = rates
    model = ToyModel(
        embedding_lr=embedding_lr, decoder_lr=decoder_lr, decoder_weight_decay=decay, steps=100_000
    )
    run = train(model, *figure6_start(model, Addition(10), 45, (58, 58)))
    expected = [completed_updates(index, 100_000) for index in indices]
    for found, step in zip((run.train_step, run.test_step), expected, strict=True):
        assert found is not None and step is not None
        assert abs(found - step) <= 2

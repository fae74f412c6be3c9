"""The stacked optimiser is torch.optim.AdamW, cell by cell and bit for bit."""

import pytest

torch = pytest.importorskip("torch", reason="needs the extra [validation]")

#: Learning rate, weight decay and epsilon of each cell.
RATES = [(1e-3, 0.0, 1e-8), (3e-2, 5.0, 1.9e-7), (0.0, 1.0, 1e-8), (1e-5, 300.0, 1e-2)]
CELLS, NUMBERS, UPDATES = len(RATES), 37, 200


def test_each_cell_is_torch_adamw() -> None:
    from validation.engine.stacked_adamw import StackedAdamW

    random = torch.Generator().manual_seed(0)
    start = torch.randn(CELLS, NUMBERS, dtype=torch.float64, generator=random)
    scale = torch.logspace(-9, 3, UPDATES, dtype=torch.float64)[:, None, None]
    gradients = scale * torch.randn(UPDATES, CELLS, NUMBERS, dtype=torch.float64, generator=random)
    stacked = StackedAdamW(start.clone())
    for cell, rates in enumerate(RATES):
        stacked.load(cell, *rates)
    for k, gradient in enumerate(gradients, start=1):
        stacked.step([gradient], torch.full((CELLS,), k))

    for cell, (rate, decay, epsilon) in enumerate(RATES):
        alone = start[cell].clone()
        optimiser = torch.optim.AdamW(
            [alone], lr=rate, weight_decay=decay, eps=epsilon, foreach=False
        )
        for gradient in gradients[:, cell]:
            alone.grad = gradient.clone()
            optimiser.step()
        assert torch.equal(stacked.parameters[cell], alone)


def test_cells_may_be_at_different_updates() -> None:
    from validation.engine.stacked_adamw import StackedAdamW

    gradient = torch.ones(2, 3, dtype=torch.float64)
    both, late = StackedAdamW(torch.ones_like(gradient)), StackedAdamW(torch.ones_like(gradient))
    for optimiser in (both, late):
        for cell in range(2):
            optimiser.load(cell, 0.1, 0.5, 1e-8)
    for k in range(1, 4):
        both.step([gradient], torch.tensor([k, k]))
    for k in range(1, 5):
        if k == 2:
            late.load(1, 0.1, 0.5, 1e-8)
            late.parameters[1] = 1.0
        late.step([gradient], torch.tensor([k, max(k - 1, 1)]))
    assert torch.equal(late.parameters[1], both.parameters[1])
    assert not torch.equal(late.parameters[0], both.parameters[0])


def test_gradients_may_come_in_parts() -> None:
    from validation.engine.stacked_adamw import StackedAdamW

    random = torch.Generator().manual_seed(0)
    start = torch.randn(2, 9, dtype=torch.float64, generator=random)
    gradient = torch.randn(2, 9, dtype=torch.float64, generator=random)
    gradient[:, 7] = 0.0
    whole, parts = StackedAdamW(start.clone()), StackedAdamW(start.clone(), [0, 6, 8])
    for optimiser in (whole, parts):
        for cell in range(2):
            optimiser.load(cell, 0.1, 0.5, 1e-8)
    for k in range(1, 4):
        update = torch.tensor([k, k])
        whole.step([gradient], update)
        parts.step([gradient[:, :6].view(2, 3, 2), gradient[:, 6:7], gradient[:, 8:]], update)
    assert torch.equal(parts.parameters, whole.parameters)


def test_bias_corrections_are_pythons_and_end_at_one() -> None:
    from validation.engine.stacked_adamw import BETA1, BETA2, LAST_CORRECTION, _bias_corrections

    table = _bias_corrections(torch.device("cpu"))
    for k in (1, 2, 10, 999, 37_000):
        assert table[:, k].tolist() == [1 - BETA1**k, (1 - BETA2**k) ** 0.5]
    assert table[:, -1].tolist() == [1 - BETA1**10**6, (1 - BETA2**10**6) ** 0.5] == [1.0, 1.0]
    assert LAST_CORRECTION == table.shape[1] - 1

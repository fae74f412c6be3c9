"""The GPU's AdamW, as Triton's interpreter runs it and as its compiler translates it for a GPU."""

import importlib.util
import re
from types import ModuleType
from typing import Any

import pytest

from tests.validation.test_stacked_adamw import RATES

torch = pytest.importorskip("torch", reason="needs the extra [validation]")
triton = pytest.importorskip("triton", reason="needs Triton, which comes with PyTorch for GPUs")

# Two parts, which end before a row and a block do.
BEGINS, SIZES, ROW = (0, 1056), ((5, 206), (37,)), 1100


@pytest.fixture
def interpreted(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The module, its kernel run by Triton's interpreter instead of a GPU."""
    monkeypatch.setenv("TRITON_INTERPRET", "1")
    spec = importlib.util.find_spec("validation.engine.fused_adamw")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-14), (torch.float32, 1e-6)])
def test_the_kernel_is_the_stacked_optimiser(
    interpreted: ModuleType, dtype: Any, tolerance: float
) -> None:
    from validation.engine.stacked_adamw import StackedAdamW

    random = torch.Generator().manual_seed(0)
    start = torch.randn(len(RATES), ROW, dtype=dtype, generator=random)
    optimisers = [kind(start.clone(), BEGINS) for kind in (StackedAdamW, interpreted.FusedAdamW)]
    for optimiser in optimisers:
        for cell, rates in enumerate(RATES):
            optimiser.load(cell, *rates)
    for k in range(1, 25):
        gradients = [
            10.0 ** (k / 2 - 9) * torch.randn(len(RATES), *size, dtype=dtype, generator=random)
            for size in SIZES
        ]
        # One cell is at its first update all the time, and one far behind the last correction.
        updates = torch.tensor([k, 1, k + 2, 10**6 + k])
        for optimiser in optimisers:
            optimiser.step(gradients, updates)
    stacked, fused = optimisers
    assert not torch.allclose(fused.parameters, start, rtol=1e-3)
    for ours, theirs in zip(fused.state[:2], stacked.state[:2], strict=True):
        largest = float(theirs.abs().max())
        torch.testing.assert_close(ours, theirs, rtol=0.0, atol=tolerance * largest)
    # The kernel keeps off what lies between the parts.
    for begin, size in zip(BEGINS, SIZES, strict=True):
        part = slice(begin, begin + torch.Size(size).numel())
        ours, theirs = fused.parameters[:, part], stacked.parameters[:, part]
        torch.testing.assert_close(ours, theirs, rtol=tolerance, atol=tolerance)
        start[:, part] = fused.parameters[:, part]
    assert torch.equal(fused.parameters, start)


def test_decay_alone_is_the_same_to_the_bit(interpreted: ModuleType) -> None:
    """Its factor is rounded once, from float64."""
    from validation.engine.stacked_adamw import StackedAdamW

    rates = [(0.013 * k, 0.37, 1e-8) for k in range(1, 200)]
    start = torch.ones(len(rates), 1)
    optimisers = [kind(start.clone()) for kind in (StackedAdamW, interpreted.FusedAdamW)]
    for optimiser in optimisers:
        for cell, of_cell in enumerate(rates):
            optimiser.load(cell, *of_cell)
        optimiser.step([torch.zeros_like(start)], torch.ones(len(rates), dtype=torch.int64))
    stacked, fused = optimisers
    assert torch.equal(fused.parameters, stacked.parameters)


@pytest.mark.parametrize("number", ["fp32", "fp64"])
def test_it_compiles_for_a_gpu_without_approximations(number: str) -> None:
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource

    from validation.engine.fused_adamw import _adamw

    constants = {"last": 100, "beta1": 0.9, "beta2": 0.999, "block": 1024}
    signature = {name: f"*{number}" for name in _adamw.arg_names[:4]}
    signature |= dict.fromkeys(("learning_rate", "weight_decay", "epsilon", "corrections"), "*fp64")
    signature |= {"update": "*i64", "row": "i32", "numbers": "i32"}
    signature |= dict.fromkeys(constants, "constexpr")
    source = ASTSource(
        _adamw,
        {name: signature[name] for name in _adamw.arg_names},
        constexprs=constants,
        attrs={(place,): [["tt.divisibility", 16]] for place in range(11)},
    )
    hopper = GPUTarget("cuda", 90, 32)
    code = triton.compile(source, target=hopper, options={"enable_fp_fusion": False}).asm["ptx"]
    kind = {"fp32": "f32", "fp64": "f64"}[number]
    assert f"sqrt.rn.{kind}" in code and f"div.rn.{kind}" in code
    assert not re.search(r"approx|fma|div\.full|ftz", code)
    # Four arrays are read and three written, 16 bytes at a time.
    assert re.search(r"ld\.global\.v[24]", code) and re.search(r"st\.global\.v[24]", code)

"""Values of an axis: decades exact, and the same on every processor and from every caller."""

import os
import subprocess
import sys
from decimal import Decimal, localcontext

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from phase_diagrams import preset
from phase_diagrams.commands.parsing import parse_axes
from phase_diagrams.sweeps.spacing import between, spaced


@given(st.integers(-30, 20), st.integers(1, 12), st.sampled_from([*range(1, 7), 49, 98]))
def test_decades_are_exact(first: int, decades: int, steps: int) -> None:
    """As a person writes them: 1e-05, not 9.999999999999999e-06."""
    low, high = float(f"1e{first}"), float(f"1e{first + decades}")
    values = spaced(low, high, decades * steps + 1)
    expected = [float(f"1e{first + k}") for k in range(decades + 1)]
    assert values[::steps] == expected
    assert values == sorted(set(values))


@given(
    st.floats(1e-12, 1e12),
    st.floats(1.5, 1e6),
    st.integers(3, 40),
)
def test_logarithmic_steps_are_equal(low: float, factor: float, count: int) -> None:
    values = spaced(low, low * factor, count)
    assert (values[0], values[-1], len(values)) == (low, low * factor, count)
    with localcontext(prec=50):
        ratio = (Decimal(low * factor) / Decimal(low)) ** (Decimal(1) / (count - 1))
        for a, b in zip(values[:-1], values[1:], strict=True):
            assert abs(Decimal(b) / Decimal(a) / ratio - 1) < Decimal("1e-13")


@given(st.integers(-50, 50), st.integers(1, 50), st.sampled_from([1, 2, 4, 5, 10, 20]))
def test_linear_values_are_as_a_person_writes_them(low: int, more: int, parts: int) -> None:
    values = spaced(low / 10, (low + more) / 10, more * parts + 1, "linear")
    expected = [float(Decimal(low * parts + k) / (10 * parts)) for k in range(more * parts + 1)]
    assert values == expected


def test_values_are_those_of_numpy_but_for_the_last_bit() -> None:
    for count in (10, 13, 16):
        expected = np.logspace(-5, -2, count)
        np.testing.assert_allclose(spaced(1e-5, 1e-2, count), expected, rtol=3e-16)
        # Axes that released results stand on moved in their first value only.
        assert spaced(1e-5, 1e-2, count)[0] == 1e-5 != 9.999999999999999e-06


@pytest.mark.parametrize(("name", "count"), [("released-5b", 10), ("fig6a", 13), ("fig6b", 16)])
def test_presets_and_command_line_have_one_axis(name: str, count: int) -> None:
    axis = parse_axes([f"decoder_lr=1e-5:1e-2:{count}:log"])["decoder_lr"]
    assert axis == preset(name).grid["decoder_lr"]


def test_the_way_between_two_values_is_even_on_their_scale() -> None:
    assert between(1e-4, 1e-2, 0.5, "log") == 1e-3
    assert between(2.0, 4.0, 0.25, "linear") == 2.5
    assert spaced(0.0, 10.0, 11, "linear") == list(range(11))
    assert spaced(3.0, 7.0, 1) == [3.0]


def test_values_do_not_depend_on_the_processor() -> None:
    """NumPy without its kernels for newer processors, whose powers differ in the last bit."""
    code = "from phase_diagrams.sweeps.spacing import spaced; print(spaced(3e-6, 2e-2, 200))"
    environment = {**os.environ, "NPY_DISABLE_CPU_FEATURES": "AVX2 AVX512F AVX512_SKX FMA3"}
    found = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert found.stdout.strip() == str(spaced(3e-6, 2e-2, 200))

"""Products and transposes against plain loops, for every shape of tile and its remainders."""

import numba
import numpy as np
import pytest
from numpy.typing import NDArray

from effective_theory.kernels import layout, products

Array = NDArray[np.float32]


def padded(rows: int, columns: int, rng: np.random.Generator) -> Array:
    """Random numbers in a padded matrix, all of it: what is not to be read would show."""
    matrix = layout.matrix(rows, columns)
    matrix[:] = rng.standard_normal(matrix.shape)
    return matrix


def plain_product(a: Array, b: Array) -> NDArray[np.float64]:
    result = np.zeros((a.shape[0], b.shape[1]))
    for i in range(a.shape[0]):
        for j in range(b.shape[1]):
            for k in range(a.shape[1]):
                result[i, j] += float(a[i, k]) * float(b[k, j])
    return result


@pytest.mark.parametrize("columns", [1, 16, 17, 33, 49, 65, 97])
@pytest.mark.parametrize(("rows", "depth"), [(1, 1), (4, 3), (5, 17), (9, 2), (13, 30), (25, 8)])
@pytest.mark.parametrize("transposed", [False, True])
def test_product_is_that_of_plain_loops(
    rows: int, depth: int, columns: int, transposed: bool
) -> None:
    rng = np.random.default_rng(rows * columns)
    a = padded(depth, rows, rng)[:depth, :rows].T if transposed else padded(rows, depth, rng)
    a = a[:rows, :depth]
    b, c = padded(depth, columns, rng), padded(rows, columns, rng)
    below = c[rows:].copy()
    products.multiply(a, b, c)
    np.testing.assert_allclose(c[:rows], plain_product(a, b[:depth]), rtol=1e-5, atol=1e-5)
    np.testing.assert_array_equal(c[rows:], below)


def test_bits_do_not_depend_on_the_tile() -> None:
    rng = np.random.default_rng(0)
    a, b = padded(40, 201, rng)[:40, :201], padded(201, 112, rng)
    whole, alone = layout.matrix(40, 112), layout.matrix(1, 16)
    products.multiply(a, b, whole)
    for row in (0, 7, 39):
        for column in range(0, 112, 16):
            part = layout.matrix(201, 16)
            part[:] = b[:, column : column + 16]
            products.multiply(a[row : row + 1], part, alone)
            np.testing.assert_array_equal(whole[row, column : column + 16], alone[0])


@pytest.mark.parametrize("vectors", [1, 2, 3, 4])
def test_a_tile_is_the_product_of_its_rows_and_columns(vectors: int) -> None:
    """Compiled here, not loaded: what the tile emits is made in this process."""
    tile = products._tile(3, vectors)
    compiled = numba.njit(lambda a, b, c, row, column: tile(a, b, c, row, column))
    rng = np.random.default_rng(vectors)
    a, b, c = padded(7, 5, rng)[:7, :5], padded(5, 96, rng), padded(7, 96, rng)
    expected = c.copy()
    end = 16 + 16 * vectors
    expected[2:5, 16:end] = plain_product(a[2:5], b[:5, 16:end])
    compiled(a, b, c, 2, 16)
    np.testing.assert_allclose(c, expected, rtol=1e-5, atol=1e-6)


def test_a_block_is_transposed() -> None:
    compiled = numba.njit(lambda m, t, row, column: products._transpose_block(m, t, row, column))
    matrix = padded(32, 48, np.random.default_rng(0))
    transposed = layout.matrix(48, 32)
    compiled(matrix, transposed, 16, 32)
    expected = np.zeros_like(transposed)
    expected[32:48, 16:32] = matrix[16:32, 32:48].T
    np.testing.assert_array_equal(transposed, expected)


def test_product_lets_nan_through() -> None:
    a, b, c = np.ones((6, 3), np.float32), layout.matrix(3, 16), layout.matrix(6, 16)
    b[1, 5] = np.nan
    products.multiply(a, b, c)
    assert np.isnan(c[:6, 5]).all() and np.isfinite(c[:6, :5]).all()


def test_transpose() -> None:
    matrix = padded(40, 64, np.random.default_rng(0))
    transposed = layout.matrix(33, 40)
    products.transpose(matrix, transposed)
    np.testing.assert_array_equal(transposed, matrix.T[:48])


def test_matrices_begin_at_a_cache_line() -> None:
    for rows in range(1, 20):
        matrix = layout.activations(rows, 55)
        assert matrix.ctypes.data % 64 == 0
        assert matrix.shape == ((rows + 16) // 16 * 16, 64)
        np.testing.assert_array_equal(matrix[rows], np.ones(64))

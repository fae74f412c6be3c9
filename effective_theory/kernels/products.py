"""Matrix products by register tiles, and the transpose they need.

A tile is a few rows by a few vectors of the result that stay in registers while the sum runs. Each
element is one chain of fused multiply-adds in the order of k, whatever the tile's shape: the bits
depend neither on where a tile begins nor on the processor, if it can fuse; where it cannot, LLVM
multiplies and adds. It splits vectors of 16 numbers where registers are shorter.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import binding, ir
from numba.core import cgutils as untyped_cgutils
from numba.core import types
from numba.extending import intrinsic as untyped_intrinsic
from numpy.typing import NDArray

from effective_theory.kernels.compilation import config, kernel

Array = NDArray[np.float32]

# What Numba does to a function's signature is out of a type checker's sight.
cgutils: Any = untyped_cgutils
intrinsic: Any = untyped_intrinsic

#: Numbers in a vector. Rows of padded matrices are a multiple of it.
LANES = 16
_BYTES = 4 * LANES

_INT32, _INT64 = ir.IntType(32), ir.IntType(64)
_VECTOR = ir.VectorType(ir.FloatType(), LANES)
_MASK = ir.VectorType(_INT32, LANES)

# The only choice by processor: 32 registers of 16 numbers hold 4 vectors of a row of b and 5 x 4
# sums; in 16 registers of 8 (AVX2) or 32 of 4 (NEON) 6 x 1 have room.
WIDEST = 4 if binding.get_host_cpu_features().get("avx512f", False) else 1
#: Rows of a tile that is 1, 2, 3 or 4 vectors wide.
ROWS_1, ROWS_2, ROWS_3, ROWS_4 = (12, 10, 8, 5) if WIDEST == 4 else (6, 6, 6, 6)


def _as_intrinsic(typing: Callable[..., Any], plain: Callable[..., None]) -> Callable[..., None]:
    """Return what kernels call: ``typing`` gives the signature and the function that emits code.

    ``plain`` does the same in NumPy, where kernels run uncompiled (NUMBA_DISABLE_JIT) and nothing
    could run what is emitted.
    """
    made: Callable[..., None] = plain if config.DISABLE_JIT else intrinsic(typing)
    return made


def _address(builder: Any, pointer: Any, offset: Any) -> Any:
    """Return the pointer moved by ``offset`` bytes."""
    return builder.gep(builder.bitcast(pointer, cgutils.voidptr_t), [offset])


def _load(builder: Any, address: Any, kind: Any) -> Any:
    return builder.load(builder.bitcast(address, kind.as_pointer()), align=4)


def _store(builder: Any, value: Any, address: Any) -> None:
    builder.store(value, builder.bitcast(address, value.type.as_pointer()), align=4)


def _spread(builder: Any, number: Any) -> Any:
    """Return the vector whose lanes all hold the number."""
    undefined = ir.Constant(_VECTOR, ir.Undefined)
    vector = builder.insert_element(undefined, number, ir.Constant(_INT32, 0))
    zeros = ir.Constant(_MASK, [0] * LANES)
    return builder.shuffle_vector(vector, undefined, zeros)


def _matrix(context: Any, builder: Any, kind: Any, value: Any) -> tuple[Any, Any, Any, Any]:
    """Return pointer, bytes between rows, bytes between columns and number of columns."""
    array = context.make_array(kind)(context, builder, value)
    rows, columns = cgutils.unpack_tuple(builder, array.strides, 2)
    return array.data, rows, columns, cgutils.unpack_tuple(builder, array.shape, 2)[1]


def _tile(rows: int, vectors: int) -> Callable[..., None]:
    """Return c[row:, column:] = a[row:] b[:, column:] for some rows and vectors of c."""

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        matrices = zip(signature.args[:3], arguments[:3], strict=True)
        a, b, c = (_matrix(context, builder, *matrix) for matrix in matrices)
        row, column = arguments[3:]
        left = column_bytes = builder.mul(column, ir.Constant(_INT64, 4))
        sum_type = ir.FunctionType(_VECTOR, [_VECTOR] * 3)
        fma = cgutils.get_or_insert_function(builder.module, sum_type, f"llvm.fmuladd.v{LANES}f32")
        row_offsets = [builder.mul(a[1], ir.Constant(_INT64, r)) for r in range(rows)]
        a_start = _address(builder, a[0], builder.mul(row, a[1]))
        b_start = _address(builder, b[0], left)

        before, loop = builder.block, builder.append_basic_block("sum")
        builder.branch(loop)
        builder.position_at_end(loop)
        k, a_k, b_k = builder.phi(_INT64), builder.phi(a_start.type), builder.phi(b_start.type)
        sums = [[builder.phi(_VECTOR) for _ in range(vectors)] for _ in range(rows)]
        b_row = [
            _load(builder, _address(builder, b_k, ir.Constant(_INT64, v * _BYTES)), _VECTOR)
            for v in range(vectors)
        ]
        results = []
        for offset, row_sums in zip(row_offsets, sums, strict=True):
            number = _load(builder, _address(builder, a_k, offset), ir.FloatType())
            factor = _spread(builder, number)
            results.append(
                [
                    builder.call(fma, [factor, b_v, s])
                    for b_v, s in zip(b_row, row_sums, strict=True)
                ]
            )
        next_k = builder.add(k, ir.Constant(_INT64, 1))
        steps = [
            (k, ir.Constant(_INT64, 0), next_k),
            (a_k, a_start, _address(builder, a_k, a[2])),
            (b_k, b_start, _address(builder, b_k, b[1])),
        ]
        for row_sums, row_results in zip(sums, results, strict=True):
            zero = ir.Constant(_VECTOR, [0.0] * LANES)
            steps += [(s, zero, r) for s, r in zip(row_sums, row_results, strict=True)]
        for phi, first, following in steps:
            phi.add_incoming(first, before)
            phi.add_incoming(following, loop)
        end = builder.append_basic_block("store")
        builder.cbranch(builder.icmp_signed("<", next_k, a[3]), loop, end)

        builder.position_at_end(end)
        for r, row_results in enumerate(results):
            c_row = builder.mul(builder.add(row, ir.Constant(_INT64, r)), c[1])
            c_start = _address(builder, c[0], builder.add(c_row, column_bytes))
            for v, result in enumerate(row_results):
                _store(builder, result, _address(builder, c_start, ir.Constant(_INT64, v * _BYTES)))
        return context.get_dummy_value()

    def tile(typingctx: Any, a: Any, b: Any, c: Any, row: Any, column: Any) -> Any:
        return types.void(a, b, c, types.int64, types.int64), codegen

    def plain(a: Array, b: Array, c: Array, row: int, column: int) -> None:
        # What lies beyond the columns of c is padding.
        end = min(column + vectors * LANES, c.shape[1])
        c[row : row + rows, column:end] = a[row : row + rows] @ b[: a.shape[1], column:end]

    return _as_intrinsic(tile, plain)


def _transpose(typingctx: Any, matrix: Any, transposed: Any, row: Any, column: Any) -> Any:
    """Transpose LANES rows and columns from (row, column) on, in registers."""

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        source = _matrix(context, builder, signature.args[0], arguments[0])
        target = _matrix(context, builder, signature.args[1], arguments[1])
        row, column = arguments[2:]
        rows = [_load(builder, a, _VECTOR) for a in _rows(builder, source, row, column)]
        # Each round exchanges blocks of half the size between rows that lie so far apart.
        half = LANES // 2
        while half > 0:
            low = [k if not k & half else k - half + LANES for k in range(LANES)]
            high = [index + half for index in low]
            for r in range(LANES):
                if not r & half:
                    pair = rows[r], rows[r + half]
                    rows[r], rows[r + half] = (
                        builder.shuffle_vector(*pair, ir.Constant(_MASK, m)) for m in (low, high)
                    )
            half //= 2
        for vector, address in zip(rows, _rows(builder, target, column, row), strict=True):
            _store(builder, vector, address)
        return context.get_dummy_value()

    return types.void(matrix, transposed, types.int64, types.int64), codegen


def _rows(builder: Any, matrix: Any, row: Any, column: Any) -> list[Any]:
    """Return the addresses of LANES rows from (row, column) on."""
    start = builder.add(builder.mul(row, matrix[1]), builder.mul(column, ir.Constant(_INT64, 4)))
    steps = [builder.mul(matrix[1], ir.Constant(_INT64, r)) for r in range(LANES)]
    return [_address(builder, matrix[0], builder.add(start, step)) for step in steps]


def _plain_transpose(matrix: Array, transposed: Array, row: int, column: int) -> None:
    block = matrix[row : row + LANES, column : column + LANES]
    transposed[column : column + LANES, row : row + LANES] = block.T


_transpose_block = _as_intrinsic(_transpose, _plain_transpose)
_row_by_1, _row_by_2, _row_by_3, _row_by_4 = (_tile(1, vectors) for vectors in (1, 2, 3, 4))
_tile_by_1, _tile_by_2 = _tile(ROWS_1, 1), _tile(ROWS_2, 2)
_tile_by_3, _tile_by_4 = _tile(ROWS_3, 3), _tile(ROWS_4, 4)


@kernel
def multiply(a: Array, b: Array, c: Array) -> None:
    """Fill the rows of ``c`` that ``a`` has with a b.

    Rows of b and c are contiguous and padded: c is written in whole vectors. ``a`` may be a
    transpose. b may have more rows than a has columns: they are not read.
    """
    vectors = (c.shape[1] + LANES - 1) // LANES
    panels = (vectors + WIDEST - 1) // WIDEST
    column = 0
    for panel in range(panels):
        # Panels as equal as possible: a narrow one has too few sums to hide their latency.
        width = (vectors + panel) // panels
        if width == 4:
            _panel_of_4(a, b, c, column)
        elif width == 3:
            _panel_of_3(a, b, c, column)
        elif width == 2:
            _panel_of_2(a, b, c, column)
        else:
            _panel_of_1(a, b, c, column)
        column += width * LANES


# In a panel the last tile reaches back over rows that are done, which changes nothing.


@kernel
def _panel_of_4(a: Array, b: Array, c: Array, column: int) -> None:
    rows = a.shape[0]
    if rows < ROWS_4:
        for row in range(rows):
            _row_by_4(a, b, c, row, column)
    else:
        for row in range(0, rows, ROWS_4):
            _tile_by_4(a, b, c, min(row, rows - ROWS_4), column)


@kernel
def _panel_of_3(a: Array, b: Array, c: Array, column: int) -> None:
    rows = a.shape[0]
    if rows < ROWS_3:
        for row in range(rows):
            _row_by_3(a, b, c, row, column)
    else:
        for row in range(0, rows, ROWS_3):
            _tile_by_3(a, b, c, min(row, rows - ROWS_3), column)


@kernel
def _panel_of_2(a: Array, b: Array, c: Array, column: int) -> None:
    rows = a.shape[0]
    if rows < ROWS_2:
        for row in range(rows):
            _row_by_2(a, b, c, row, column)
    else:
        for row in range(0, rows, ROWS_2):
            _tile_by_2(a, b, c, min(row, rows - ROWS_2), column)


@kernel
def _panel_of_1(a: Array, b: Array, c: Array, column: int) -> None:
    rows = a.shape[0]
    if rows < ROWS_1:
        for row in range(rows):
            _row_by_1(a, b, c, row, column)
    else:
        for row in range(0, rows, ROWS_1):
            _tile_by_1(a, b, c, min(row, rows - ROWS_1), column)


@kernel
def transpose(matrix: Array, transposed: Array) -> None:
    """Fill ``transposed``, padded in both directions, from as many columns of ``matrix``."""
    for row in range(0, transposed.shape[1], LANES):
        for column in range(0, transposed.shape[0], LANES):
            _transpose_block(matrix, transposed, row, column)

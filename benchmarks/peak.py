"""How many floating-point operations the core makes in a second, at the most."""

from typing import Any

import numba
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

#: Enough independent sums to hide the latency of each, few enough to stay in registers.
SUMS, LANES, TURNS = 12, 16, 200_000
FLOP_A_CALL = 2 * SUMS * LANES * TURNS


@intrinsic
def _fused_sums(typingctx: Any, turns: Any, factor: Any) -> Any:
    """Multiply each of SUMS vectors by ``factor`` and add it, ``turns`` times; return the total."""

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        turns, factor = arguments
        vector = ir.VectorType(ir.FloatType(), LANES)
        name, kind = f"llvm.fma.v{LANES}f32", ir.FunctionType(vector, [vector] * 3)
        fma = cgutils.get_or_insert_function(builder.module, kind, name)  # type: ignore[no-untyped-call]
        whole = ir.Constant(vector, ir.Undefined)
        whole = builder.insert_element(whole, factor, ir.Constant(ir.IntType(32), 0))
        mask = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
        whole = builder.shuffle_vector(whole, whole, mask)
        entry, loop = builder.block, builder.append_basic_block("loop")
        end = builder.append_basic_block("end")
        builder.branch(loop)
        builder.position_at_end(loop)
        index = builder.phi(turns.type)
        sums = [builder.phi(vector) for _ in range(SUMS)]
        following = [builder.call(fma, [value, whole, whole]) for value in sums]
        next_index = builder.add(index, ir.Constant(turns.type, 1))
        index.add_incoming(ir.Constant(turns.type, 0), entry)
        index.add_incoming(next_index, loop)
        for number, (value, after) in enumerate(zip(sums, following, strict=True)):
            value.add_incoming(ir.Constant(vector, [float(number)] * LANES), entry)
            value.add_incoming(after, loop)
        builder.cbranch(builder.icmp_signed("<", next_index, turns), loop, end)
        builder.position_at_end(end)
        total = following[0]
        for value in following[1:]:
            total = builder.fadd(total, value)
        return builder.extract_element(total, ir.Constant(ir.IntType(32), 0))

    return types.float32(types.int64, types.float32), codegen


@numba.njit
def _run(turns: int, factor: float) -> float:
    return _fused_sums(turns, numba.float32(factor))  # type: ignore[call-arg]


def multiply_and_add() -> int:
    """Make FLOP_A_CALL operations; return 1, the number of calls."""
    _run(TURNS, 0.5)  # type: ignore[call-arg, type-var]
    return 1

"""A vector type for Numba: LANES floats that stay side by side in the processor's registers.

Numba leaves it to the compiler to find vector code in loops, and it often must assume that two
arrays overlap. Here a kernel says what it means: `load` a row, compute with ``+ - *``, `store`
it. The compiler maps one vector to one 512-bit register, two 256-bit ones, or four 128-bit ones.
"""

from __future__ import annotations

import operator
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.datamodel import models
from numba.extending import intrinsic, overload, register_model

#: Samples side by side in one vector.
LANES = 16
_FAST = ("fast",)


class Vector(types.Type):
    """Numba type of LANES floats of ``dtype``."""

    def __init__(self, dtype: types.Float) -> None:
        self.dtype = dtype
        super().__init__(name=f"Vector({dtype})")


def _ir_type(dtype: types.Float) -> ir.VectorType:
    return ir.VectorType(ir.FloatType() if dtype.bitwidth == 32 else ir.DoubleType(), LANES)


@register_model(Vector)
class _VectorModel(models.PrimitiveModel):
    def __init__(self, dmm: Any, fe_type: Vector) -> None:
        super().__init__(dmm, fe_type, _ir_type(fe_type.dtype))


def _row_pointer(context: Any, builder: Any, array_type: Any, array: Any, row: Any) -> Any:
    view = context.make_array(array_type)(context, builder, array)
    start = builder.mul(row, context.get_constant(types.intp, LANES))
    pointer = builder.gep(view.data, [start])
    return builder.bitcast(pointer, _ir_type(array_type.dtype).as_pointer())


@intrinsic
def load(typingctx: Any, array: Any, row: Any) -> Any:
    """The vector in ``array[row]``; ``array`` is C-contiguous, [n, LANES], and not checked."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        index = context.cast(builder, args[1], signature.args[1], types.intp)
        loaded = builder.load(_row_pointer(context, builder, signature.args[0], args[0], index))
        loaded.align = signature.args[0].dtype.bitwidth // 8
        return loaded

    return Vector(array.dtype)(array, row), codegen


@intrinsic
def store(typingctx: Any, array: Any, row: Any, vector: Any) -> Any:
    """Writes a vector to ``array[row]``."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        index = context.cast(builder, args[1], signature.args[1], types.intp)
        pointer = _row_pointer(context, builder, signature.args[0], args[0], index)
        builder.store(args[2], pointer).align = signature.args[0].dtype.bitwidth // 8
        return context.get_dummy_value()

    return types.void(array, row, vector), codegen


@intrinsic
def splat(typingctx: Any, scalar: Any) -> Any:
    """A vector with the same float in every lane."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kind = _ir_type(signature.args[0])
        one = builder.insert_element(ir.Constant(kind, ir.Undefined), args[0], cgutils.int32_t(0))
        mask = ir.Constant(ir.VectorType(cgutils.int32_t, LANES), [0] * LANES)
        return builder.shuffle_vector(one, ir.Constant(kind, ir.Undefined), mask)

    return Vector(scalar)(scalar), codegen


def _arithmetic(name: str) -> Any:
    @intrinsic
    def operation(typingctx: Any, a: Any, b: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            return getattr(builder, name)(*args, flags=_FAST)

        return a(a, b), codegen

    return operation


_add, _sub, _mul = _arithmetic("fadd"), _arithmetic("fsub"), _arithmetic("fmul")


@overload(operator.add)
def _vector_add(a, b):
    if isinstance(a, Vector) and isinstance(b, Vector):
        return lambda a, b: _add(a, b)


@overload(operator.sub)
def _vector_sub(a, b):
    if isinstance(a, Vector) and isinstance(b, Vector):
        return lambda a, b: _sub(a, b)


@overload(operator.mul)
def _vector_mul(a, b):
    if isinstance(a, Vector) and isinstance(b, Vector):
        return lambda a, b: _mul(a, b)


def _swap(distance: int) -> Any:
    @intrinsic
    def operation(typingctx: Any, vector: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            kind = _ir_type(signature.args[0].dtype)
            mask = ir.Constant(ir.VectorType(cgutils.int32_t, LANES), [lane ^ distance for lane in range(LANES)])
            return builder.shuffle_vector(args[0], ir.Constant(kind, ir.Undefined), mask)

        return vector(vector), codegen

    return operation


#: Exchange of lanes whose numbers differ in one bit.
swap1, swap2, swap4, swap8 = (_swap(distance) for distance in (1, 2, 4, 8))

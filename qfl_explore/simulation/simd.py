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


@intrinsic
def total(typingctx: Any, vector: Any) -> Any:
    """The sum of all lanes, added in halves."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kind, value, width = _ir_type(signature.args[0].dtype), args[0], LANES // 2
        while width:
            lanes = [(lane + width) % LANES for lane in range(LANES)]
            mask = ir.Constant(ir.VectorType(cgutils.int32_t, LANES), lanes)
            value = builder.fadd(value, builder.shuffle_vector(value, ir.Constant(kind, ir.Undefined), mask))
            width //= 2
        return builder.extract_element(value, cgutils.int32_t(0))

    return vector.dtype(vector), codegen


#: π/2 in three parts, and the polynomials (highest power first) of sine and cosine on [-π/4, π/4], by width
#: of the float. Source: Cephes Math Library (S. L. Moshier), sinf.c and sin.c.
_QUARTER_TURN = {
    32: (1.5707963705062866, -4.371138828673793e-08, -1.7151245100058819e-15),
    64: (1.5707963267948966, 6.123233995736766e-17, -1.4973849048591833e-33),
}
_SINE = {
    32: (-1.9515295891e-4, 8.3321608736e-3, -1.6666654611e-1),
    64: (
        1.58962301576546568060e-10,
        -2.50507477628578072866e-8,
        2.75573136213857245213e-6,
        -1.98412698295895385996e-4,
        8.33333333332211858878e-3,
        -1.66666666666666307295e-1,
    ),
}
_COSINE = {
    32: (2.443315711809948e-5, -1.388731625493765e-3, 4.166664568298827e-2),
    64: (
        -1.13585365213876817300e-11,
        2.08757008419747316778e-9,
        -2.75573141792967388112e-7,
        2.48015872888517045348e-5,
        -1.38888888888730564116e-3,
        4.16666666666665929218e-2,
    ),
}


@intrinsic
def cosine_and_sine(typingctx: Any, vector: Any) -> Any:
    """(cos, sin) of every lane, to about the last digit; for angles up to 1e5 radians."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return context.make_tuple(builder, signature.return_type, _cosine_and_sine(builder, args[0]))

    return types.UniTuple(vector, 2)(vector), codegen


def _cosine_and_sine(builder: Any, x: Any) -> tuple[Any, Any]:
    kind = x.type
    bits = 32 if kind.element == ir.FloatType() else 64
    whole = ir.VectorType(ir.IntType(bits), LANES)

    def llvm(name: str, n_arguments: int) -> Any:
        signature = ir.FunctionType(kind, [kind] * n_arguments)
        return cgutils.get_or_insert_function(builder.module, signature, f"llvm.{name}.v{LANES}f{bits}")

    multiply_add, nearest = llvm("fma", 3), llvm("rint", 1)

    def number(value: float) -> Any:
        return ir.Constant(kind, [value] * LANES)

    def integer(value: int) -> Any:
        return ir.Constant(whole, [value] * LANES)

    def fma(a: Any, b: Any, c: Any) -> Any:  # one rounding: what makes the reduction exact
        return builder.call(multiply_add, [a, b, c])

    def polynomial(coefficients: tuple[float, ...], z: Any) -> Any:
        value = number(coefficients[0])
        for coefficient in coefficients[1:]:
            value = fma(value, z, number(coefficient))
        return value

    turns = builder.call(nearest, [builder.fmul(x, number(0.6366197723675814))])
    rest = x
    for part in _QUARTER_TURN[bits]:
        rest = fma(turns, number(-part), rest)
    z = builder.fmul(rest, rest)
    sine = fma(builder.fmul(rest, z), polynomial(_SINE[bits], z), rest)
    tail = builder.fmul(builder.fmul(z, z), polynomial(_COSINE[bits], z))
    cosine = builder.fadd(fma(z, number(-0.5), number(1.0)), tail)
    quadrant = builder.fptosi(turns, whole)

    def has(value: Any, bit: int) -> Any:
        return builder.icmp_signed("!=", builder.and_(value, integer(bit)), integer(0))

    odd = has(quadrant, 1)
    sine, cosine = builder.select(odd, cosine, sine), builder.select(odd, sine, cosine)
    minus_sine, minus_cosine = builder.fneg(sine), builder.fneg(cosine)
    sine = builder.select(has(quadrant, 2), minus_sine, sine)
    return builder.select(has(builder.add(quadrant, integer(1)), 2), minus_cosine, cosine), sine

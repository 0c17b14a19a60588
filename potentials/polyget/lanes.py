"""Vectors of float32 inside Numba kernels: what LLVM calls `<n x float>`, with n known to the compiler.

LLVM cannot prove that the arrays of a kernel do not overlap, and guards every inner loop over channels with
tests of their addresses. Kernels written on `Lanes` have no inner loops: a value holds many channels, and
LLVM cuts it into registers as wide as the processor has. Offsets are flat, into C-contiguous
float32 arrays, and not checked.

    a, b = load(array, offset, n), load(array, other, n)     n is a literal or a constant of a closure
    store(array, offset, a * b + np.float32(2.0))            +, -, *, /, with lanes or scalars
    fold(a, d)       (n / d) lanes, each the sum of d neighbouring ones
    spread(a, d)     (n d) lanes, each of a's d times in a row
    join(a, b), halves(a), total(a), clamp(a, low, high), root(a), sigmoid(a)
"""

import operator
from typing import Any

import numba
import numpy as np
from llvmlite import ir
from numba.core import cgutils as _cgutils
from numba.core import types as _types
from numba.core.errors import TypingError
from numba.extending import intrinsic as _intrinsic
from numba.extending import models as _models
from numba.extending import overload, register_model

# as their types go, intrinsics take the typing context too, and the others are untyped
intrinsic: Any = _intrinsic
types: Any = _types
models: Any = _models
functions: Any = _cgutils
FLOAT = ir.FloatType()
FLAGS = ("contract", "arcp", "nsz")


class Lanes(types.Type):
    """n float32 numbers."""

    def __init__(self, n: int) -> None:
        self.n = n
        super().__init__(name=f"Lanes({n})")


@register_model(Lanes)
class LanesModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Lanes) -> None:
        super().__init__(manager, kind, ir.VectorType(FLOAT, kind.n))


def _shuffle(builder: Any, a: Any, b: Any, lanes: list[int]) -> Any:
    return builder.shuffle_vector(a, b, ir.Constant(ir.VectorType(ir.IntType(32), len(lanes)), lanes))


def _splat(builder: Any, number: Any, n: int) -> Any:
    empty = ir.Constant(ir.VectorType(FLOAT, n), ir.Undefined)
    one = builder.insert_element(empty, number, ir.Constant(ir.IntType(32), 0))
    return _shuffle(builder, one, one, [0] * n)


def _fold(builder: Any, a: Any, n: int, d: int) -> Any:
    """Sums of d neighbours: a tree of halves while d is even."""
    while d > 1:
        step = 2 if d % 2 == 0 else d
        total = _shuffle(builder, a, a, list(range(0, n, step)))
        for k in range(1, step):
            total = builder.fadd(total, _shuffle(builder, a, a, list(range(k, n, step))), flags=FLAGS)
        a, n, d = total, n // step, d // step
    return a


def _pointer(context: Any, builder: Any, kind: Any, array: Any, offset: Any, n: int) -> Any:
    data = context.make_array(kind)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [offset]), ir.VectorType(FLOAT, n).as_pointer())


def _check(array: Any) -> None:
    if not (isinstance(array, types.Array) and array.layout == "C" and array.dtype == types.float32):
        raise TypingError(f"lanes lie in C-contiguous arrays of float32, not in {array}")


@intrinsic(prefer_literal=True)
def load(typingctx: Any, array: Any, offset: Any, n: Any) -> Any:
    """n numbers of a C-contiguous float32 array from a flat offset on."""
    _check(array)
    width = n.literal_value

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        instruction = builder.load(_pointer(context, builder, array, args[0], args[1], width))
        instruction.align = 4
        return instruction

    return Lanes(width)(array, types.int64, n), codegen


@intrinsic
def store(typingctx: Any, array: Any, offset: Any, value: Any) -> Any:
    """Write lanes to a C-contiguous float32 array from a flat offset on."""
    _check(array)

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        pointer = _pointer(context, builder, array, args[0], args[1], value.n)
        builder.store(args[2], pointer).align = 4
        return context.get_dummy_value()

    return types.void(array, types.int64, value), codegen


@intrinsic
def accumulate(typingctx: Any, array: Any, offset: Any, value: Any) -> Any:
    """Add lanes to a C-contiguous float32 array from a flat offset on."""
    _check(array)

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        pointer = _pointer(context, builder, array, args[0], args[1], value.n)
        before = builder.load(pointer)
        before.align = 4
        builder.store(builder.fadd(before, args[2], flags=FLAGS), pointer).align = 4
        return context.get_dummy_value()

    return types.void(array, types.int64, value), codegen


@intrinsic(prefer_literal=True)
def splat(typingctx: Any, number: Any, n: Any) -> Any:
    """n times the same number."""
    width = n.literal_value

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return _splat(builder, args[0], width)

    return Lanes(width)(types.float32, n), codegen


@intrinsic(prefer_literal=True)
def fold(typingctx: Any, a: Any, d: Any) -> Any:
    """n / d lanes, each the sum of d neighbours."""
    length = d.literal_value

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return _fold(builder, args[0], a.n, length)

    return Lanes(a.n // length)(a, d), codegen


@intrinsic(prefer_literal=True)
def spread(typingctx: Any, a: Any, d: Any) -> Any:
    """n d lanes, each lane of a d times in a row."""
    length = d.literal_value

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return _shuffle(builder, args[0], args[0], [lane // length for lane in range(a.n * length)])

    return Lanes(a.n * length)(a, d), codegen


@intrinsic
def join(typingctx: Any, a: Any, b: Any) -> Any:
    """The lanes of a, then those of b, which are as many."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return _shuffle(builder, args[0], args[1], list(range(2 * a.n)))

    return Lanes(2 * a.n)(a, b), codegen


@intrinsic
def halves(typingctx: Any, a: Any) -> Any:
    """The first and the second half of the lanes."""
    half = Lanes(a.n // 2)
    signature = types.UniTuple(half, 2)(a)

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        parts = [_shuffle(builder, args[0], args[0], list(range(k, k + half.n))) for k in (0, half.n)]
        return context.make_tuple(builder, signature.return_type, parts)

    return signature, codegen


@intrinsic
def total(typingctx: Any, a: Any) -> Any:
    """Sum of all lanes, halves first: as many steps as the logarithm of their number."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        value, n = args[0], a.n
        while n % 2 == 0:
            n //= 2
            low, high = (_shuffle(builder, value, value, list(range(k, k + n))) for k in (0, n))
            value = builder.fadd(low, high, flags=FLAGS)
        return builder.extract_element(_fold(builder, value, n, n), ir.Constant(ir.IntType(32), 0))

    return types.float32(a), codegen


@intrinsic
def clamp(typingctx: Any, a: Any, low: Any, high: Any) -> Any:
    """Each lane moved into [low, high]."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        value, *limits = args
        for sign, limit in zip("<>", limits, strict=True):
            bound = _splat(builder, limit, a.n)
            value = builder.select(builder.fcmp_ordered(sign, value, bound), bound, value)
        return value

    return a(a, types.float32, types.float32), codegen


@intrinsic
def root(typingctx: Any, a: Any) -> Any:
    """Square root of each lane."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kind = ir.FunctionType(args[0].type, [args[0].type])
        function = functions.get_or_insert_function(builder.module, kind, f"llvm.sqrt.v{a.n}f32")
        return builder.call(function, args)

    return a(a), codegen


def _arithmetic(instruction: str) -> Any:
    """Lanes with lanes, or with one number for all lanes."""

    @intrinsic
    def apply(typingctx: Any, a: Any, b: Any) -> Any:
        kind = a if isinstance(a, Lanes) else b
        sides = [side if isinstance(side, Lanes) else types.float32 for side in (a, b)]

        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            both = [
                value if isinstance(side, Lanes) else _splat(builder, value, kind.n)
                for side, value in zip(sides, args, strict=True)
            ]
            return getattr(builder, instruction)(*both, flags=FLAGS)

        return kind(*sides), codegen

    return apply


_add, _sub, _mul, _div = (_arithmetic(name) for name in ("fadd", "fsub", "fmul", "fdiv"))


@overload(operator.add, strict=False)
def _add_lanes(a: Any, b: Any) -> Any:
    return (lambda a, b: _add(a, b)) if isinstance(a, Lanes) or isinstance(b, Lanes) else None


@overload(operator.sub, strict=False)
def _sub_lanes(a: Any, b: Any) -> Any:
    return (lambda a, b: _sub(a, b)) if isinstance(a, Lanes) or isinstance(b, Lanes) else None


@overload(operator.mul, strict=False)
def _mul_lanes(a: Any, b: Any) -> Any:
    return (lambda a, b: _mul(a, b)) if isinstance(a, Lanes) or isinstance(b, Lanes) else None


@overload(operator.truediv, strict=False)
def _div_lanes(a: Any, b: Any) -> Any:
    return (lambda a, b: _div(a, b)) if isinstance(a, Lanes) or isinstance(b, Lanes) else None


@numba.njit(forceinline=True)
def sigmoid(z: Any) -> Any:
    """1 / (1 + exp(-z)) = (1 + tanh(z / 2)) / 2, tanh as a rational function: float32 accurate."""
    f = np.float32
    x = clamp(z * f(0.5), f(-7.9), f(7.9))
    y = x * x
    p = y * f(-2.76076847742355e-16) + f(2.00018790482477e-13)
    p = p * y + f(-8.60467152213735e-11)
    p = p * y + f(5.12229709037114e-08)
    p = p * y + f(1.48572235717979e-05)
    p = p * y + f(6.37261928875436e-04)
    p = p * y + f(4.89352455891786e-03)
    q = y * f(1.19825839466702e-06) + f(1.18534705686654e-04)
    q = q * y + f(2.26843463243900e-03)
    q = q * y + f(4.89352518554385e-03)
    return x * p / q * f(0.5) + f(0.5)

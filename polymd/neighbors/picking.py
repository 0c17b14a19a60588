"""The innermost step of the search, 16 distances at a time."""

from typing import Any

from llvmlite import ir
from numba.core import cgutils as _cgutils
from numba.core import types as _types
from numba.extending import intrinsic as _intrinsic

# as Numba's own modules go, these carry no types
intrinsic: Any = _intrinsic
types: Any = _types
functions: Any = _cgutils

LANES = 16
"""Atoms tested at a time; arrays have room for as many beyond their end."""

INT = ir.IntType(32)
NUMBERS = ir.VectorType(INT, LANES)
FLAGS = ir.VectorType(ir.IntType(1), LANES)


def _vector(builder: Any, number: Any) -> Any:
    """The same number in all lanes."""
    empty = ir.Constant(ir.VectorType(number.type, LANES), ir.Undefined)
    one = builder.insert_element(empty, number, ir.Constant(INT, 0))
    return builder.shuffle_vector(one, one, ir.Constant(NUMBERS, [0] * LANES))


def _pointer(builder: Any, data: Any, index: Any, kind: Any) -> Any:
    return builder.bitcast(builder.gep(data, [index]), ir.VectorType(kind, LANES).as_pointer())


def _compress(builder: Any) -> Any:
    """LLVM's function that moves chosen lanes to the front: with AVX-512 a single instruction."""
    kind = ir.FunctionType(NUMBERS, [NUMBERS, FLAGS, NUMBERS])
    name = f"llvm.experimental.vector.compress.v{LANES}i32"
    return functions.get_or_insert_function(builder.module, kind, name)


@intrinsic
def pick_close(
    typingctx: Any, x: Any, begin: Any, end: Any, origin: Any, shift: Any, cutoff2: Any, label: Any,
    ranks: Any, labels: Any, found: Any,
) -> Any:  # fmt: skip
    """Test 16 atoms from rank `begin` on; gives how many are found now.

    The same, without branches, as

        for rank in range(begin, begin + 16):
            dx, dy, dz = ((x[axis, rank] - origin[axis]) + shift[axis] for axis in range(3))
            if rank < end and dx * dx + dy * dy + dz * dz < cutoff2:
                ranks[found], labels[found] = rank, label
                found += 1
        return found

    x (3, M), float32 or float64, ranks and labels, uint32, are C-contiguous and not checked. From `found` on
    16 entries of `ranks` and `labels` are written, those past the new `found` without meaning.
    """

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        x, begin, end, origin, shift, cutoff2, label, ranks, labels, found = args
        kinds = dict(zip(("x", "ranks", "labels"), (signature.args[k] for k in (0, 7, 8)), strict=True))
        positions = context.make_array(kinds["x"])(context, builder, x)
        stride = builder.extract_value(positions.shape, 1)
        square = None
        for axis in range(3):
            place = builder.add(begin, builder.mul(stride, ir.Constant(stride.type, axis)))
            value = builder.load(_pointer(builder, positions.data, place, cutoff2.type))
            value.align = 4
            value = builder.fsub(value, _vector(builder, builder.extract_value(origin, axis)))
            value = builder.fadd(value, _vector(builder, builder.extract_value(shift, axis)))
            value = builder.fmul(value, value)
            square = value if square is None else builder.fadd(square, value)
        lanes = ir.Constant(NUMBERS, list(range(LANES)))
        numbers = builder.add(_vector(builder, builder.trunc(begin, INT)), lanes)
        inside = builder.icmp_signed("<", numbers, _vector(builder, builder.trunc(end, INT)))
        close = builder.and_(builder.fcmp_ordered("<", square, _vector(builder, cutoff2)), inside)
        chosen = builder.call(_compress(builder), [numbers, close, ir.Constant(NUMBERS, ir.Undefined)])
        same = _vector(builder, builder.trunc(label, INT))
        for name, array, value in (("ranks", ranks, chosen), ("labels", labels, same)):
            data = context.make_array(kinds[name])(context, builder, array).data
            builder.store(value, _pointer(builder, data, found, INT)).align = 4
        count = builder.ctpop(builder.bitcast(close, ir.IntType(LANES)))
        return builder.add(found, builder.zext(count, found.type))

    three, whole = types.UniTuple(cutoff2, 3), types.int64
    return whole(x, whole, whole, three, three, cutoff2, whole, ranks, labels, whole), codegen

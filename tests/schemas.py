"""Random struct definitions with random values, and what both are in other forms: an oracle that
shares no code with the server.

    for kind in random_types(rng, 1000):
        value = kind.random_value(rng)
        kind.pack(value)                  # the packed bytes
        kind.definition()                 # Lua
        to_json(rng, kind, value)         # what a client may send
        is_json_of(kind, value, parsed)   # whether that is what it gets

A type has name, size and align (what a struct of natural alignment places it at); scalars, enums,
built-in and random structs are of classes below.
Values are: int, float, bool; enums int; dec128 a str; flat types a list of numbers; arrays lists;
structs dicts.
"""

import decimal
import math
import struct

# Field names that are keywords or special somewhere, besides plain ones.
NAMES = ["x", "y", "origin", "class", "int", "int_", "default", "in", "lambda", "__proto__",
         "constructor", "value", "view", "offset", "i", "None", "from", "linux", "names", "_Bool",
         "uint8_t", "alpha", "b2", "_", "new", "dtype", "hasOwnProperty", "NULL", "bits", "length"]
C_WORDS = {"class", "int", "default", "linux", "_Bool", "uint8_t", "NULL", "new"}

INTEGERS = {"i8": "b", "i16": "h", "i32": "i", "i64": "q", "u8": "B", "u16": "H", "u32": "I",
            "u64": "Q"}
FLOATS = {"f16": "e", "f32": "f", "f64": "d"}


def c_name(name):
    """As the generated header spells it (schema_out.h)."""
    return name + "_" if name.rstrip("_") in C_WORDS else name


def float_value(kind, bits):
    """The float with these bits."""
    code = FLOATS[kind]
    return struct.unpack("<" + code, bits.to_bytes(struct.calcsize(code), "little"))[0]


class Scalar:
    def __init__(self, name):
        self.name = name
        self.code = {"bool": "?", **INTEGERS, **FLOATS}.get(name)
        self.size = 16 if name == "dec128" else struct.calcsize(self.code)
        self.align = self.size

    def random_value(self, rng):
        if self.name == "bool":
            return rng.random() < 0.5
        if self.name == "dec128":
            digits = rng.randrange(10 ** rng.randint(1, 34))
            return f"{'-' if rng.random() < 0.5 else ''}{digits}E{rng.randint(-60, 60):+d}"
        if self.name in INTEGERS:
            bits = self.size * 8
            value = rng.choice([rng.getrandbits(bits), rng.getrandbits(bits) >> bits // 2, 0,
                                (1 << bits) - 1, 1 << (bits - 1)])
            is_negative = self.name[0] == "i" and value >> (bits - 1)
            return value - (1 << bits) if is_negative else value
        while True:
            value = float_value(self.name, rng.getrandbits(self.size * 8))
            if math.isfinite(value):
                return value

    def pack(self, value):
        if self.name != "dec128":
            return struct.pack("<" + self.code, value)
        mantissa, exponent = value.split("E")
        coefficient, bias = abs(int(mantissa)), int(exponent) + 6176
        sign = 1 if mantissa[0] == "-" else 0
        return (coefficient | bias << 113 | sign << 127).to_bytes(16, "little")


SCALARS = {name: Scalar(name) for name in ("bool", "dec128", *INTEGERS, *FLOATS)}


class Enum:
    def __init__(self, name, base, members, is_flags):
        self.name, self.base, self.members, self.is_flags = name, base, members, is_flags
        self.size, self.align = base.size, base.size

    def random_value(self, rng):
        """Values without a name, too."""
        return rng.choice([self.base.random_value(rng), *self.members.values()])

    def pack(self, value):
        return self.base.pack(value)

    def definition(self):
        """Hexadecimal integers of Lua's wrap around."""
        members = ", ".join(f"{name} = {hex(value % (1 << 64)) if self.size == 8 else value}"
                            for name, value in self.members.items())
        flags = ", {flags = true}" if self.is_flags else ""
        return f'struct.enum("{self.name}", "{self.base.name}", {{{members}}}{flags})'


class Flat:
    """A built-in type whose values are lists of numbers; a matrix is `columns` of `rows`."""

    def __init__(self, name, part, count, fields, columns=0):
        self.name, self.part, self.count, self.columns = name, SCALARS[part], count, columns
        self.fields = fields
        self.size, self.align = self.part.size * count, self.part.size

    def random_value(self, rng):
        return [self.part.random_value(rng) for _ in range(self.count)]

    def pack(self, value):
        return b"".join(self.part.pack(number) for number in value)

    def c_path(self, i):
        if not self.columns:
            return "." + self.fields[i]
        rows = self.count // self.columns
        return f".columns[{i // rows}].{'xyzw'[i % rows]}"


def _vectors():
    for prefix, part in (("", "f32"), ("d", "f64"), ("i", "i32"), ("u", "u32")):
        for count in (2, 3, 4):
            yield Flat(f"{prefix}vec{count}", part, count, "xyzw")
    yield Flat("quat", "f32", 4, "xyzw")
    yield Flat("dquat", "f64", 4, "xyzw")
    yield Flat("color", "f32", 4, "rgba")
    yield Flat("color8", "u8", 4, "rgba")
    yield Flat("mat3", "f32", 9, "", 3)
    yield Flat("mat4", "f32", 16, "", 4)
    yield Flat("affine", "f32", 12, "", 4)


FLATS = {flat.name: flat for flat in _vectors()}


class Field:
    def __init__(self, name, kind, count, offset):
        self.name, self.type, self.count, self.offset = name, kind, count, offset


class Struct:
    """align: 1, or 0 for natural. Fields are (name, type, count or 0, offset or None)."""

    def __init__(self, name, fields, align=1):
        self.name, self.is_natural, self.fields = name, align == 0, []
        self.align, end, schema = max(kind.align for _, kind, _, _ in fields), 0, []
        for field, kind, count, pinned in fields:
            step = kind.align if self.is_natural else 1
            offset = -(-end // step) * step if pinned is None else pinned
            end = offset + kind.size * max(count, 1)
            self.fields.append(Field(field, kind, count, offset))
            schema.append(f"{field}:{kind.name}{f'[{count}]' if count else ''}"
                          f"{'' if pinned is None else f'@{pinned}'}")
        end = max(f.offset + f.type.size * max(f.count, 1) for f in self.fields)
        self.size = -(-end // self.align) * self.align if self.is_natural else end
        self.schema = " ".join(schema)

    def definition(self):
        align = ', {align = "natural"}' if self.is_natural else ""
        return f'struct.define("{self.name}", "{self.schema}"{align})'

    def random_value(self, rng):
        return {f.name: [f.type.random_value(rng) for _ in range(f.count)] if f.count
                else f.type.random_value(rng) for f in self.fields}

    def pack(self, value):
        out = bytearray(self.size)
        for field in self.fields:
            values = value[field.name] if field.count else [value[field.name]]
            packed = b"".join(field.type.pack(item) for item in values)
            out[field.offset:field.offset + len(packed)] = packed
        return bytes(out)


RAY = Struct("ray", [("origin", FLATS["vec3"], 0, None), ("direction", FLATS["vec3"], 0, None)])
PLANE = Struct("plane", [("normal", FLATS["vec3"], 0, None), ("d", SCALARS["f32"], 0, None)])


def random_enum(rng, name):
    base = SCALARS[rng.choice(list(INTEGERS))]
    is_flags = rng.random() < 0.4
    members = {}
    for i in range(rng.randint(1, 6)):
        value = 1 << rng.randrange(base.size * 8 - 1) if is_flags else base.random_value(rng)
        if value not in members.values():
            members[f"M{i}"] = value
    return Enum(name, base, members, is_flags)


def random_struct(rng, name, types):
    fields, pinned_end = [], 0
    is_natural = rng.random() < 0.3
    is_pinned = not is_natural and rng.random() < 0.2
    for field in rng.sample(NAMES, rng.randint(1, 5)):
        kind = rng.choice([rng.choice(list(SCALARS.values())), rng.choice(list(FLATS.values())),
                           rng.choice(types)])
        count = rng.choice([0, 0, 0, 1, 2, 3, 5])
        while kind.size * max(count, 1) > 100:
            kind, count = rng.choice(list(SCALARS.values())), 0
        offset = None
        if is_pinned:
            offset = pinned_end + rng.randint(0, 5)
            pinned_end = offset + kind.size * max(count, 1)
        fields.append((field, kind, count, offset))
    if is_pinned:
        rng.shuffle(fields)
    return Struct(name, fields, 0 if is_natural else 1)


def random_types(rng, count):
    """So many structs in an order in which they can be defined, with the enums that they use."""
    types = [RAY, PLANE]
    for i in range(count):
        if i % 5 == 0:
            types.append(random_enum(rng, f"E{i}"))
        recent = types[:2] + types[-12:]
        types.append(random_struct(rng, f"{rng.choice('abXY_')}{i}", recent))
    return types[2:]


def leaves(kind, value, path=()):
    """(path, scalar or enum, value) of all in a value; a path has names and indices from 0."""
    if isinstance(kind, Flat):
        for i, number in enumerate(value):
            yield (*path, i), kind.part, number
    elif isinstance(kind, Struct):
        for field in kind.fields:
            inner = value[field.name]
            for i, item in enumerate(inner if field.count else [inner]):
                here = (*path, field.name, i) if field.count else (*path, field.name)
                yield from leaves(field.type, item, here)
    else:
        yield path, kind, value


# ---- JSON

def _enum_to_json(rng, kind, value):
    names = {number: name for name, number in kind.members.items()}
    if kind.is_flags:
        return [value] if value and rng.random() < 0.5 else [
            name for name, bits in kind.members.items() if value & bits == bits and bits
        ] + [value]
    return names[value] if value in names else value


def to_json(rng, kind, value):
    """One of the forms that the value may be sent in."""
    if isinstance(kind, Enum):
        return _enum_to_json(rng, kind, value)
    if isinstance(kind, Flat):
        if kind.columns or rng.random() < 0.8:
            return value
        return dict(zip(kind.fields, value))
    if isinstance(kind, Scalar):
        is_text = kind.name in ("i64", "u64") and rng.random() < 0.5
        return str(value) if is_text else value
    inner = {f.name: [to_json(rng, f.type, item) for item in value[f.name]] if f.count
             else to_json(rng, f.type, value[f.name]) for f in kind.fields}
    if rng.random() < 0.2:
        return list(inner.values())
    keys = list(inner)
    rng.shuffle(keys)
    return {key: inner[key] for key in keys}


def _is_enum_json(kind, value, parsed):
    if kind.is_flags:
        bits = 0
        for item in parsed:
            bits |= kind.members[item] if item in kind.members else int(item)
        return isinstance(parsed, list) and bits % (1 << 64) == value % (1 << 64)
    names = {number: name for name, number in kind.members.items()}
    return parsed == names.get(value, str(value) if kind.size == 8 else value)


def _is_scalar_json(kind, value, parsed):
    if kind.name in FLOATS:
        return isinstance(parsed, float) and kind.pack(parsed) == kind.pack(value)
    if kind.name == "dec128":
        same = decimal.Decimal(parsed).as_tuple() == decimal.Decimal(value).as_tuple()
        return isinstance(parsed, str) and same
    return parsed == (str(value) if kind.name in ("i64", "u64") else value)


def is_json_of(kind, value, parsed):
    """Whether that is the one form in which the value is sent."""
    if isinstance(kind, Enum):
        return _is_enum_json(kind, value, parsed)
    if isinstance(kind, Scalar):
        return _is_scalar_json(kind, value, parsed)
    if isinstance(kind, Flat):
        return len(parsed) == kind.count and all(
            _is_scalar_json(kind.part, *pair) for pair in zip(value, parsed))
    if list(parsed) != [f.name for f in kind.fields]:
        return False
    return all(
        len(parsed[f.name]) == f.count and all(
            is_json_of(f.type, *pair) for pair in zip(value[f.name], parsed[f.name]))
        if f.count else is_json_of(f.type, value[f.name], parsed[f.name]) for f in kind.fields)

"""What generated code is held against: each function takes (struct, value) pairs and a folder with
NAME.h, NAME.py or NAME.ts of every struct, reads the packed bytes by the generated code, compares
each leaf, writes all leaves into zeroed bytes and compares these. Raises with the output otherwise.

C is compiled by gcc in one program; numpy runs in Debian's python3; node runs the TypeScript with
its types stripped.
"""

import concurrent.futures
import json
import os
import re
import struct
import subprocess

from schemas import Enum, Flat, c_name, leaves

PYTHON = "/usr/bin/python3"  # the one that Debian's python3-numpy is for
C_TYPES = {"f32": "float", "f64": "double"}
PROGRAMS = 2  # compiled at the same time


def run_tool(arguments, **options):
    done = subprocess.run(arguments, capture_output=True, text=True, check=False, **options)
    if done.returncode:
        raise AssertionError(f"{arguments[0]} failed:\n{(done.stdout + done.stderr)[-4000:]}")
    return done.stdout


# ---- C

def c_path(kind, path):
    text = ""
    while path:
        if isinstance(kind, Flat):
            return text + kind.c_path(path[0])
        field = next(f for f in kind.fields if f.name == path[0])
        text += "." + c_name(field.name)
        path = path[1:]
        if field.count:
            text += f"[{path[0]}]"
            path = path[1:]
        kind = field.type
    return text


def c_number(kind, value):
    """A constant of the leaf's type; f16 by its bits."""
    base = kind.base if isinstance(kind, Enum) else kind
    if base.name == "bool":
        return str(int(value))
    if base.name == "f16":
        return str(struct.unpack("<H", struct.pack("<e", value))[0])
    if base.name in C_TYPES:
        return f"({C_TYPES[base.name]}){value.hex()}"
    if value == -(1 << 63):
        return "INT64_MIN"
    return f"INT64_C({value})" if base.name[0] == "i" else f"UINT64_C({value})"


def c_bytes(data):
    return "{" + ",".join(map(str, data)) + "}"


def c_check(number, kind, value):
    """A function that returns 0 or the number of the leaf that is wrong."""
    data = kind.pack(value)
    tag = c_name(kind.name)
    reads, writes = [], []
    for i, (path, leaf, number_value) in enumerate(leaves(kind, value)):
        place = "v" + c_path(kind, path)
        if leaf.name == "dec128":
            packed = f"(const uint8_t[]){c_bytes(leaf.pack(number_value))}"
            reads.append(f"if (memcmp({place}, {packed}, 16)) return {i + 1};")
            writes.append(f"memcpy({place}, {packed}, 16);")
        else:
            constant = c_number(leaf, number_value)
            reads.append(f"if ({place} != {constant}) return {i + 1};")
            writes.append(f"{place} = {constant};")
    return "\n".join([
        f"static int check_{number}(void) {{",
        f"static const unsigned char in[] = {c_bytes(data)};",
        f"struct {tag} v; memcpy(&v, in, sizeof in);",
        *reads,
        "memset(&v, 0, sizeof v);",
        *writes,
        "return sizeof v == sizeof in && memcmp(&v, in, sizeof in) == 0 ? 0 : -1;", "}"])


def c_program(folder, number, pairs):
    source = os.path.join(folder, f"check_{number}.c")
    lines = [f'#include "{kind.name}.h"' for kind, _ in pairs]
    lines += ["#include <stdio.h>", "#include <string.h>"]
    lines += [c_check(i, kind, value) for i, (kind, value) in enumerate(pairs)]
    lines.append("int main(void) {\nint bad = 0, err;")
    lines += [f'if ((err = check_{i}())) bad = 1, printf("{kind.name}: leaf %d\\n", err);'
              for i, (kind, _) in enumerate(pairs)]
    lines.append("return bad;\n}")
    with open(source, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
    program = os.path.join(folder, f"check_{number}")
    run_tool(["gcc", "-std=c11", "-O0", "-w", "-o", program, source])
    run_tool([program])


def read_in_c(folder, pairs):
    with concurrent.futures.ThreadPoolExecutor(PROGRAMS) as pool:
        parts = [pairs[i::PROGRAMS] for i in range(PROGRAMS)]
        list(pool.map(lambda i: c_program(folder, i, parts[i]), range(PROGRAMS)))


def compile_all(folder, pairs):
    """All headers together without a warning, in both languages; their static asserts hold."""
    for compiler, standard, suffix in (("gcc", "c11", "c"), ("g++", "c++11", "cpp")):
        source = os.path.join(folder, "all." + suffix)
        with open(source, "w", encoding="utf-8") as file:
            file.writelines(f'#include "{kind.name}.h"\n' for kind, _ in pairs)
        run_tool([compiler, "-std=" + standard, "-Wall", "-Wextra", "-Wpedantic", "-Werror",
                  "-fsyntax-only", source])


# ---- what Python and JavaScript get: JSON with numbers as text

def leaf_text(kind, value):
    base = kind.base if isinstance(kind, Enum) else kind
    if base.name == "dec128":
        return base.pack(value).hex()
    return value.hex() if isinstance(value, float) else str(int(value))


def write_cases(folder, pairs):
    cases = []
    for kind, value in pairs:
        rows = []
        for path, leaf, number in leaves(kind, value):
            base = leaf.base if isinstance(leaf, Enum) else leaf
            rows.append([numpy_path(kind, path), list(path), base.name, leaf_text(leaf, number),
                         base.pack(number).hex()])
        cases.append({"name": kind.name, "size": kind.size, "bytes": kind.pack(value).hex(),
                      "offsets": {f.name: f.offset for f in kind.fields}, "leaves": rows})
    path = os.path.join(folder, "cases.json")
    with open(path, "w", encoding="utf-8") as file:
        json.dump(cases, file)
    return path


def numpy_path(kind, path):
    """Matrices have two dimensions there."""
    place = []
    while path:
        if isinstance(kind, Flat):
            rows = kind.count // kind.columns if kind.columns else 0
            return place + (list(divmod(path[0], rows)) if rows else [path[0]])
        field = next(f for f in kind.fields if f.name == path[0])
        place.append(field.name)
        path = path[1:]
        if field.count:
            place.append(path[0])
            path = path[1:]
        kind = field.type
    return place


NUMPY_CHECK = r"""
import json, os, sys
import numpy
folder = sys.argv[1]
for case in json.load(open(os.path.join(folder, "cases.json"))):
    name, scope = case["name"], {}
    exec(open(os.path.join(folder, name + ".py")).read(), scope)
    dtype = scope[name]
    assert isinstance(dtype, numpy.dtype) and dtype.itemsize == case["size"], name
    offsets = {field: dtype.fields[field][1] for field in dtype.names}
    assert offsets == case["offsets"], (name, offsets)
    data = bytes.fromhex(case["bytes"])
    read = numpy.frombuffer(data, dtype)
    written = numpy.zeros(1, dtype)
    for path, _, kind, text, packed in case["leaves"]:
        def at(array, steps):
            for step in steps:
                array = array[step] if isinstance(step, str) else array[:, step]
            return array
        value = at(read, path)
        assert value.shape == (1,), (name, path, value.shape)
        assert value.tobytes().hex() == packed, (name, path, value, text)
        if kind == "dec128":
            at(written, path)[...] = numpy.frombuffer(bytes.fromhex(packed), "V16")
        elif kind[0] == "f":
            assert float(value[0]).hex() == text, (name, path, value, text)
            at(written, path)[...] = float.fromhex(text)
        else:
            assert int(value[0]) == int(text), (name, path, value, text)
            at(written, path)[...] = int(text)
    assert written.tobytes() == data, name
"""


def read_in_numpy(folder, pairs):
    write_cases(folder, pairs)
    run_tool([PYTHON, "-c", NUMPY_CHECK, folder])


# ---- JavaScript

def strip_types(source):
    """Plain JavaScript: interfaces, type lines, and the types of parameters and results go."""
    source = re.sub(r"^export interface \w+ \{\n.*?^\}\n", "", source, flags=re.M | re.S)
    source = re.sub(r"^export type .*\n", "", source, flags=re.M)
    head = re.compile(r"^((?:export )?function \w+)\((.*)\): [\w\[\]]+ \{$", flags=re.M)
    return head.sub(lambda m: f"{m[1]}({re.sub(r': [A-Za-z0-9_]+', '', m[2])}) {{", source)


NODE_CHECK = r"""
import { readFileSync } from "node:fs";
const folder = process.argv[2];
function fail(...words) { console.error(...words); process.exit(1); }
function number(kind, text, packed) {
  const bytes = Buffer.from(packed, "hex");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (kind === "dec128") return new Uint8Array(bytes);
  if (kind === "bool") return text === "1";
  if (kind === "i64" || kind === "u64") return BigInt(text);
  if (kind === "f32") return view.getFloat32(0, true);
  if (kind === "f64") return view.getFloat64(0, true);
  if (kind === "f16") {  // from C's hexadecimal notation
    const [, sign, whole, fraction, exponent] = /^(-?)0x(\d)\.([0-9a-f]+)p([+-]\d+)$/.exec(text);
    const digits = Number(whole) + parseInt(fraction, 16) / 16 ** fraction.length;
    return (sign ? -1 : 1) * digits * 2 ** Number(exponent);
  }
  return Number(text);
}
function same(a, b) {
  return a instanceof Uint8Array ? a.length === b.length && a.every((x, i) => x === b[i])
                                 : Object.is(a, b);
}
for (const test of JSON.parse(readFileSync(folder + "/cases.json"))) {
  const name = test.name, upper = name[0].toUpperCase() + name.slice(1);
  const module = await import(`${folder}/${name}.mjs`);
  const bytes = Buffer.from(test.bytes, "hex"), shifted = new Uint8Array(bytes.length + 3);
  shifted.set(bytes, 3);
  if (module[name + "_SIZE"] !== test.size) fail(name, "size");
  const read = module["read" + upper](new DataView(shifted.buffer, 1), 2);
  for (const [, path, kind, text, packed] of test.leaves) {
    const found = path.reduce((value, step) => {
      if (!Object.hasOwn(value, step)) fail(name, path, "is not there");
      return value[step];
    }, read);
    const expected = number(kind, text, packed);
    if (!same(found, expected)) fail(name, path, found, expected);
  }
  const out = new Uint8Array(bytes.length + 3);
  module["write" + upper](new DataView(out.buffer, 1), 2, read);
  if (Buffer.compare(Buffer.from(out.buffer, 3), bytes)) fail(name, "written otherwise");
}
"""


def read_in_node(folder, pairs):
    write_cases(folder, pairs)
    for kind, _ in pairs:
        with open(os.path.join(folder, kind.name + ".ts"), encoding="utf-8") as file:
            source = strip_types(file.read())
        with open(os.path.join(folder, kind.name + ".mjs"), "w", encoding="utf-8") as file:
            file.write(source)
    script = os.path.join(folder, "check.mjs")
    with open(script, "w", encoding="utf-8") as file:
        file.write(NODE_CHECK)
    run_tool(["node", script, os.path.abspath(folder)])


IMPORT_NODE = r"""
const [folder, ...names] = process.argv.slice(2);
for (const name of names) {
  const module = await import(`${folder}/${name}.mjs`), size = module[name + "_SIZE"];
  const upper = name[0].toUpperCase() + name.slice(1);
  const bytes = new Uint8Array(size).map((_, i) => i % 60), out = new Uint8Array(size);
  module["write" + upper](new DataView(out.buffer), 0,
                          module["read" + upper](new DataView(bytes.buffer), 0));
  if (Buffer.compare(bytes, out)) { console.error(name, bytes, out); process.exit(1); }
}
"""

IMPORT_PYTHON = r"""
import os, sys
import numpy
for name in sys.argv[2:]:
    scope = {}
    exec(open(os.path.join(sys.argv[1], name + ".py")).read(), scope)
    assert isinstance(scope[name], numpy.dtype), name
"""


def import_all(folder, names, has_numpy):
    """Bytes that are read and written again are the same; the modules stand alone."""
    for name in names:
        with open(os.path.join(folder, name + ".ts"), encoding="utf-8") as file:
            source = strip_types(file.read())
        with open(os.path.join(folder, name + ".mjs"), "w", encoding="utf-8") as file:
            file.write(source)
    script = os.path.join(folder, "import.mjs")
    with open(script, "w", encoding="utf-8") as file:
        file.write(IMPORT_NODE)
    run_tool(["node", script, os.path.abspath(folder), *names])
    if has_numpy:
        run_tool([PYTHON, "-c", IMPORT_PYTHON, folder, *names])

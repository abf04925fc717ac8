"""Ways to damage a file: each takes bytes and a random.Random, and gives other bytes and a few words about them.

Imported by mutants.py; not a program. Standard library only.
"""
import json
import re
import struct

# No mutant is larger.
LARGEST = 4 << 20

NUMBER = re.compile(rb"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")
SCALAR = re.compile(rb'"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null')
IDENTIFIER = re.compile(rb"[A-Za-z_][A-Za-z0-9_]*")

STRANGE_NUMBERS = [
    b"0", b"-1", b"1", b"2", b"3", b"-0.0", b"0.5", b"-0.5", b"1e-320", b"1e-400", b"1e38", b"1e39", b"1e308", b"1e309",
    b"255", b"256", b"65535", b"65536", b"2147483647", b"2147483648", b"4294967295", b"4294967296",
    b"9007199254740993", b"9223372036854775807", b"9223372036854775808", b"-9223372036854775808",
    b"18446744073709551615", b"18446744073709551616", b"9" * 40, b"9" * 5000, b"0x10", b"1_000", b"007", b"1.", b".5",
    b"NaN", b"nan", b"Infinity", b"-Infinity", b"inf", b"1e", b"--1", b"+1",
]

STRANGE_SCALARS = STRANGE_NUMBERS + [
    b"null", b"true", b"false", b'""', b"[]", b"{}", b"[[]]", b'[""]', b"[null]", b'"\\u0000"', b'"\\ud800"',
    b'"a\\u202eb"',
    b'"' + b"a" * 70000 + b'"', b'"\\u001b[2J"', b'"../../etc/passwd"', b'"/dev/zero"', b'"."',
]

STRANGE_BYTES = [
    b"\x00", b"\xff", b"\xfe\xff", b"\xef\xbb\xbf", b"\x1b[31m", b"\x1b]0;t\x07", b"\r", b"\r\n", b"\n", b"\t", b"\x0b",
    b"\x7f", b"\xc2\x85", b"\xc2\x9b", b"\xe2\x80\xae", b"\xe2\x80\xa8", b"\xed\xa0\x80", b"\xf4\x90\x80\x80",
    b"\xc0\x80", b"{", b"}", b"[", b"]", b"(", b")", b'"', b"'", b"\\", b"#", b"//", b"/*", b"{%",
    b"%}", b"{{", b"}}", b"{#", b"{%}", b"{{}", b"{#}", b"{%-%}", b"=", b"==",
    b":", b",", b".", b"..", b"~", b"-", b"%", b"`", b"$", b"&", b"<", b">", b"|",
    b"\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x91\xa9",
    b"\xcc\x81" * 40, b"e\xcc\x81", b"\xe3\x80\x80", b"\xc2\xa0",
]

DEPTHS = [3, 30, 120, 300, 1000, 5000, 40000, 200000]

# What nests in each kind of text: opening, middle, closing. Some close, some do not.
NESTS = {
    "cook": [(b"(", b"1", b")"), (b"[", b"", b"]"), (b"(", b"", b""), (b"[", b"", b""), (b"not ", b"true", b""),
             (b"-", b"1", b""), (b"if true then 1 else ", b"1", b""), (b"for x in ", b"vocab", b": x"),
             (b"1 + ", b"1", b""), (b"size(", b"vocab", b")"), (b"{", b"", b"}"), (b"a.", b"a", b""),
             (b"true and ", b"true", b""), (b"fold a = 0 over b in ", b"c", b": a"), (b"2 in 1..", b"3", b""),
             (b"~ repeat(2, ", b"coin(0.5)", b")"), (b"any x in vocab: ", b"true", b"")],
    "toml": [(b"a = [", b"", b"]"), (b"[", b"1", b"]"), (b"x = {a = ", b"1", b"}"), (b"a.", b"a = 1", b""),
             (b"[[", b"a", b"]]"), (b"[", b"", b"")],
    "json": [(b"[", b"", b"]"), (b'{"a":', b"1", b"}"), (b"[", b"", b""), (b'{"a":[', b"", b""), (b"[[],", b"1", b"]"),
             (b'{"type":"Sequence","normalizers":[', b"", b"]}"), (b'{"type":"Sequence","pretokenizers":[', b"", b"]}"),
             (b'{"type":"Sequence","decoders":[', b"", b"]}")],
    "jinja": [(b"{{ (", b"1", b") }}"), (b"(", b"1", b")"), (b"{% if a %}", b"x", b"{% endif %}"),
              (b"{% if a %}", b"", b""), (b"{{ [", b"", b"] }}"), (b"[", b"", b"]"), (b"not ", b"a", b""),
              (b"-", b"1", b""), (b"a.", b"a", b""),
              (b"1 + ", b"1", b""), (b"'a' ~ ", b"'a'", b""), (b"a[", b"0", b"]"), (b"a|trim", b"", b""),
              (b"{% for m in messages %}", b"x", b"{% endfor %}"), (b"{% set a %}", b"x", b"{% endset %}"),
              (b"{% macro a(b) %}", b"x", b"{% endmacro %}"), (b"a if b else ", b"c", b""), (b"{'a': ", b"1", b"}"),
              (b"a and ", b"a", b""), (b"{%", b"", b"%}"), (b"{%-", b"", b"-%}"), (b"{{", b"", b"}}")],
}
NESTS["words"] = NESTS["cook"]
NESTS["jsonl"] = NESTS["json"]


def span(data, random, most=64):
    """A random place of at most that length, and sometimes a much longer one."""
    start = random.randrange(len(data) + 1)
    length = random.randint(1, most if random.random() < 0.8 else max(most, len(data) // 2))
    return start, min(len(data), start + length)


def flip(data, random):
    out = bytearray(data)
    places = [random.randrange(len(out)) for _ in range(random.choice([1, 1, 1, 2, 8]))]
    for at in places:
        out[at] ^= 1 << random.randrange(8)
    return bytes(out), f"bits flipped at {places}"


def truncate(data, random):
    at = random.randrange(len(data))
    return data[:at], f"cut off at {at}"


def remove(data, random):
    start, end = span(data, random)
    return data[:start] + data[end:], f"bytes {start}..{end} removed"


def repeat(data, random):
    start, end = span(data, random)
    times = random.choice([2, 2, 2, 3, 100, 5000])
    times = min(times, LARGEST // 2 // max(1, end - start))
    return data[:start] + data[start:end] * times + data[end:], f"bytes {start}..{end} {times} times"


def swap(data, random):
    (a, b), (c, d) = sorted([span(data, random), span(data, random)])
    if c < b:
        return remove(data, random)
    return data[:a] + data[c:d] + data[b:c] + data[a:b] + data[d:], f"bytes {a}..{b} and {c}..{d} exchanged"


def insert(data, random):
    at = random.randrange(len(data) + 1)
    what = random.choice(STRANGE_BYTES) * random.choice([1, 1, 1, 2, 50])
    return data[:at] + what + data[at:], f"{what[:16]!r} put at {at}"


def overwrite(data, random):
    """Zeros or noise over a block, as a bad sector or a lost write leaves it."""
    size = min(len(data), random.choice([4, 16, 512, 4096]))
    at = random.randrange(len(data) - size + 1)
    what = random.choice([b"\0" * size, b"\xff" * size, random.randbytes(size)])
    return data[:at] + what + data[at + size :], f"{size} bytes overwritten at {at}"


def lines(data, random):
    all = data.split(b"\n")
    if len(all) < 3:
        return swap(data, random)
    a, b = sorted(random.sample(range(len(all)), 2))
    how = random.choice(["exchanged", "doubled", "removed", "moved"])
    if how == "exchanged":
        all[a], all[b] = all[b], all[a]
    elif how == "doubled":
        all.insert(b, all[a])
    elif how == "removed":
        del all[a]
    else:
        all.insert(b, all.pop(a))
    return b"\n".join(all), f"lines {a + 1} and {b + 1} {how}"


def replaced(data, random, pattern, choices):
    found = list(pattern.finditer(data))
    if not found:
        return insert(data, random)
    one = random.choice(found)
    what = random.choice(choices) if random.random() < 0.9 else one[0] + random.choice(STRANGE_BYTES)
    return data[: one.start()] + what + data[one.end() :], f"{one[0][:20]!r} at {one.start()} became {what[:20]!r}"


def number(data, random):
    if random.random() < 0.3:
        # A number nearby: another digit.
        digits = [at for at, byte in enumerate(data) if 48 <= byte <= 57]
        if digits:
            at = random.choice(digits)
            digit = b"%d" % random.randrange(10)
            return data[:at] + digit + data[at + 1 :], f"the digit at {at} became {digit!r}"
    return replaced(data, random, NUMBER, STRANGE_NUMBERS)


def scalar(data, random):
    return replaced(data, random, SCALAR, STRANGE_SCALARS)


def word(data, random):
    """A name becomes another name of the text."""
    found = list(IDENTIFIER.finditer(data))
    if len(found) < 2:
        return insert(data, random)
    one, other = random.sample(found, 2)
    return data[: one.start()] + other[0] + data[one.end() :], f"{one[0]!r} at {one.start()} became {other[0]!r}"


def nest(data, random, kind):
    opening, middle, closing = random.choice(NESTS[kind])
    depth = min(random.choice(DEPTHS), LARGEST // 2 // (len(opening) + len(closing)))
    what = opening * depth + middle + closing * depth
    if kind in ("json", "jsonl"):
        places = [(one.start(), one.end()) for one in SCALAR.finditer(data)]
    else:
        places = [(one.start(), one.end()) for one in NUMBER.finditer(data)]
        places += [(one.start(), one.end()) for one in IDENTIFIER.finditer(data)]
        at = random.randrange(len(data) + 1)
        places += [(at, at)] * max(1, len(places) // 4)
    start, end = random.choice(places) if places else (0, 0)
    return data[:start] + what + data[end:], f"{opening!r} nested {depth} times at {start}"


def binary_number(data, random):
    """Four or eight bytes become a number that is too large, negative, or not a number."""
    if len(data) < 8:
        return flip(data, random)
    packed = [struct.pack("<Q", one) for one in (0, 1, 2**31, 2**32 - 1, 2**53, 2**63 - 1, 2**63, 2**64 - 1, len(data))]
    packed += [struct.pack("<I", one) for one in (0, 1, 8, 9, 12, 2**16, 2**31 - 1, 2**31, 2**32 - 1)]
    packed += [struct.pack("<f", one) for one in (float("nan"), float("inf"), float("-inf"), 3e38, -0.0, 1e-40)]
    what = random.choice(packed)
    at = random.randrange(len(data) - len(what) + 1)
    return data[:at] + what + data[at + len(what) :], f"{what.hex()} put over {at}"


BYTES = [(flip, 3), (truncate, 2), (remove, 2), (repeat, 2), (swap, 1), (insert, 2)]
TEXT = BYTES + [(lines, 3), (number, 5)]


def choose(weighted, random):
    return random.choices([one for one, _ in weighted], [weight for _, weight in weighted])[0]


def text(data, random, kind):
    """A damaged text of a kind of `NESTS`: one to three of the ways above."""
    said = []
    for _ in range(random.choice([1, 1, 1, 2, 3])):
        ways = TEXT + [(word, 4)] + ([(scalar, 4)] if kind in ("json", "jsonl", "toml") else [])
        # A chat template's expressions may be long; what else nests is cut off by a parser early.
        ways = ways + [(lambda data, random: nest(data, random, kind), 6 if kind == "jinja" else 2)]
        data, how = choose(ways, random)(data or b" ", random)
        said.append(how)
        if len(data) > LARGEST:
            data = data[:LARGEST]
    return data, "; ".join(said)


def tensors(data, random):
    """A damaged safetensors file: in its header as JSON, in the length of it, or anywhere."""
    size = int.from_bytes(data[:8], "little")
    draw = random.random()
    if draw < 0.45:
        header, how = text(data[8 : 8 + size], random, "json")
        fitting = random.random() < 0.8
        length = struct.pack("<Q", len(header)) if fitting else data[:8]
        return length + header + data[8 + size :], "header: " + how
    if draw < 0.55:
        length, how = binary_number(data[:8], random)
        return length + data[8:], "header's length: " + how
    if draw < 0.65:
        return exchanged_tensors(data, random)
    ways = BYTES + [(overwrite, 3), (binary_number, 2)]
    return choose(ways, random)(data, random)


def exchanged_tensors(data, random):
    """Two tensors' places in the file are exchanged, or one's type, shape or name becomes another's."""
    size = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + size])
    known = [name for name in header if name != "__metadata__"]
    if len(known) < 2:
        return flip(data, random)
    one, other = random.sample(known, 2)
    key = random.choice(["data_offsets", "shape", "dtype", "name"])
    if key == "name":
        header[one], header[other] = header[other], header[one]
    elif key == "dtype":
        header[one][key] = random.choice(["F16", "BF16", "F64", "I32", "U8", "F8_E4M3", "BOOL", "I64"])
    else:
        header[one][key], header[other][key] = header[other][key], header[one][key]
    header = json.dumps(header).encode()
    return struct.pack("<Q", len(header)) + header + data[8 + size :], f"{key} of {one} and {other}"


def gguf(data, random):
    """A damaged GGUF file, mostly in its metadata, which is at the front."""
    head = len(data) if random.random() < 0.25 else min(len(data), max(64, len(data) // 4))
    if random.random() < 0.3:
        head = min(head, 2048)
    ways = BYTES + [(overwrite, 1), (binary_number, 5), (number, 1), (word, 2)]
    changed, how = choose(ways, random)(data[:head], random)
    return changed + data[head:], how


def checkpoint(data, random):
    """A damaged checkpoint: mostly one bit anywhere, as a disk or memory gives."""
    draw = random.random()
    if draw < 0.5:
        out = bytearray(data)
        at = random.randrange(len(out))
        out[at] ^= 1 << random.randrange(8)
        return bytes(out), f"bit flipped at {at}"
    return tensors(data, random)


def damage(data, kind, random):
    """Bytes that differ from `data`, and how they came to be."""
    for _ in range(50):
        if kind == "safetensors":
            out, how = tensors(data, random)
        elif kind == "gguf":
            out, how = gguf(data, random)
        elif kind == "checkpoint":
            out, how = checkpoint(data, random)
        else:
            out, how = text(data, random, kind)
        if out != data:
            return out[:LARGEST], how
    return data + b"\n", "a line feed more"

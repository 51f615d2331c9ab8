"""Damage to texts and bytes, as by faulty disks, cut transfers and hostile input; reproducible by the seed."""

import re
import struct
from collections.abc import Callable
from random import Random

#: Most characters that repeating a line adds: more would take longer to write than to read.
LARGEST_ADDED = 4_000_000

#: Replacements of numbers and names.
EXTREMES = (
    *(
        "0",
        "-1",
        "1",
        "2",
        "1e9",
        "1e308",
        "-1e308",
        "nan",
        "inf",
        "1e-320",
        "0x10",
        "2147483648",
        "1" + "0" * 19,
    ),
    *(
        "9" * 400,
        "",
        " ",
        "\x1b[2J",
        "\n",
        "\r",
        "\0",
        "\u2028",
        "é",
        "x" * 300,
        "../../etc/passwd",
        "/dev/zero",
        "%s",
    ),
    *(",", "|", "/", "#", "[", "{", '"', "[" * 2000, "A" * 10_000, "null", "true", "16+24", "I", "1(2)/uV"),
)

_WORD = re.compile(r"[^\s,:/()\"\[\]{}]+")
_NUMBERS = (0, 1, 2**31 - 1, 2**31, 2**32 - 1, 0xFF, 0xFFFF, 8, 128)


def damaged_text(text: str, random: Random) -> str:
    """Return a text with one to four pieces of damage."""
    for _ in range(random.randint(1, 4)):
        text = random.choice(_TO_TEXT)(text, random)
    return text


def damaged_bytes(content: bytes, random: Random) -> bytes:
    """Return bytes with one to four pieces of damage; half of them lie in the first 200 bytes."""
    for _ in range(random.randint(1, 4)):
        content = random.choice(_TO_BYTES)(content, random)
    return content


def _replace_word(text: str, random: Random) -> str:
    words = list(_WORD.finditer(text))
    if not words:
        return random.choice(EXTREMES)
    word = random.choice(words)
    return text[: word.start()] + random.choice(EXTREMES) + text[word.end() :]


def _insert(text: str, random: Random) -> str:
    at = random.randint(0, len(text))
    return text[:at] + random.choice(EXTREMES) + text[at:]


def _cut_text(text: str, random: Random) -> str:
    return text[: random.randint(0, len(text))]


def _without_line(text: str, random: Random) -> str:
    lines = text.splitlines(keepends=True)
    if lines:
        del lines[random.randrange(len(lines))]
    return "".join(lines)


def _repeat_line(text: str, random: Random) -> str:
    lines = text.splitlines(keepends=True)
    if lines:
        at = random.randrange(len(lines))
        most = max(1, LARGEST_ADDED // (len(lines[at]) + 1))
        lines[at:at] = [lines[at]] * min(random.choice((1, 2, 30, 1000)), most)
    return "".join(lines)


def _swap_lines(text: str, random: Random) -> str:
    lines = text.splitlines(keepends=True)
    random.shuffle(lines)
    return "".join(lines)


def _place(content: bytes, random: Random) -> int:
    """Return where to damage: half of the times within the first 200 bytes."""
    return random.randint(0, min(len(content), 200) if random.random() < 0.5 else len(content))


def _cut(content: bytes, random: Random) -> bytes:
    return content[: _place(content, random)]


def _flip(content: bytes, random: Random) -> bytes:
    changed = bytearray(content)
    for _ in range(random.choice((1, 1, 8, 64)) if changed else 0):
        changed[min(_place(content, random), len(changed) - 1)] ^= 1 << random.randrange(8)
    return bytes(changed)


def _overwrite_number(content: bytes, random: Random) -> bytes:
    at = _place(content, random) // 4 * 4
    return content[:at] + struct.pack("<I", random.choice(_NUMBERS)) + content[at + 4 :]


def _fill(content: bytes, random: Random) -> bytes:
    at, count = _place(content, random), random.choice((1, 16, 500))
    return content[:at] + random.choice((b"\0", b"\xff", b" ", b"\n")) * count + content[at + count :]


def _insert_bytes(content: bytes, random: Random) -> bytes:
    at = _place(content, random)
    return content[:at] + random.randbytes(random.choice((1, 3, 100))) + content[at:]


def _repeat(content: bytes, random: Random) -> bytes:
    at = _place(content, random)
    return content + content[at : at + 10_000] * random.choice((1, 10))


def _as_text(content: bytes, random: Random) -> bytes:
    """Replace a word: binary formats hold words, too."""
    return _replace_word(content.decode("latin-1"), random).encode("latin-1", "replace")


_Damage = Callable[[str, Random], str]
_TO_TEXT: tuple[_Damage, ...] = (
    *(_replace_word,) * 6,
    *(_insert,) * 2,
    *(_cut_text, _without_line, _repeat_line, _swap_lines),
)
_TO_BYTES = (_cut, *(_flip,) * 3, *(_overwrite_number,) * 3, _fill, _insert_bytes, _repeat, _as_text)

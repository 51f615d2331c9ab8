"""Parse XML of any encoding, with limits."""

import codecs
import re
import warnings
from collections.abc import Sequence
from pathlib import Path
from xml.etree.ElementTree import Element, tostring

import numpy as np

from cnn_gap.io.waveforms import LOWEST
from cnn_gap.system.errors import InputError
from cnn_gap.system.files import read_bytes

#: The largest XML file that is read, bytes.
LARGEST_XML = 32 << 20

#: The largest number of tags of an XML file: ECGs have thousands, and a million takes minutes and gigabytes.
MOST_TAGS = 300_000

_MARKUP = re.compile(r"\s*(?:<\?.*?\?>|<!--.*?-->|<!DOCTYPE[^\[>]*(?:\[.*?\]\s*)?>)", re.DOTALL | re.IGNORECASE)
_ROOT = re.compile(r"\s*<(?:[^\s<>/:=\"']+:)?([^\W\d][\w.-]*)")
_DECLARATION = re.compile(r"\s*<\?xml\b[^>]*\?>")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")  # which XML forbids, and devices write into names
_ENCODING = re.compile(rb"""^\s*<\?xml[^>]*?encoding\s*=\s*["']([\w.-]+)["']""")

#: Byte order marks, the longer ones first, and the encodings that they stand for.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)

#: Encodings that a file may declare. Python has others, which are no encodings of text; some are slow.
_TEXT_ENCODINGS = re.compile(
    r"utf-?8|utf-(?:16|32)(?:-[lb]e)?|ascii|(?:iso)?8859-\d+|iso8859-\d+|cp\d+|gb2312|gbk|gb18030|hz|big5(?:hkscs)?"
    r"|shift_jis\w*|euc_\w+|iso2022_\w+|johab|koi8-\w+|mac-\w+|tis-620"
)

#: The wider encodings that devices use under the name of a narrower standard.
_WIDER = {"gb2312": "gb18030", "gbk": "gb18030", "shift_jis": "cp932", "euc_kr": "cp949"}


def xml_root(start: bytes) -> str | None:
    """Return the name of an XML file's root without its namespace, None if there is none in its first bytes.

    Examples
    --------
    >>> xml_root(b'<?xml version="1.0"?><!DOCTYPE RestingECG SYSTEM "restecg.dtd"><RestingECG>')
    'RestingECG'
    """
    text = _decode(start)
    if not text.lstrip().startswith("<"):
        return None
    position = 0
    while skipped := _MARKUP.match(text, position):
        position = skipped.end()
    root = _ROOT.match(text, position)
    return root[1] if root else None


def parse_xml(path: Path) -> Element:
    """Return the root of an XML file, all names without their namespaces.

    The encoding is the declared one or, where the bytes are no text of it, UTF-8 or Latin-1: devices write
    names of patients in another encoding than they declare.

    Raises
    ------
    InputError
        If it declares entities, has more than `MOST_TAGS` tags or is damaged.
    """
    from defusedxml import DefusedXmlException
    from defusedxml.ElementTree import ParseError, fromstring

    content = read_bytes(path, LARGEST_XML)
    text = _decode(content)
    if text.count("<") > MOST_TAGS:
        raise InputError(f"{path}: has too many XML tags; at most {MOST_TAGS} are read")
    try:
        root: Element = fromstring(_CONTROL.sub("", _DECLARATION.sub("", text, count=1)))
    except DefusedXmlException as error:
        raise InputError(f"{path}: declares XML entities, which are not expanded; remove them") from error
    except (ParseError, ValueError, LookupError, RecursionError) as error:
        raise InputError(f"{path}: is damaged XML ({error})") from error
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
        element.attrib = {name.rpartition("}")[2]: value for name, value in element.attrib.items()}
    return root


def xml_bytes(root: Element) -> bytes:
    """Return an element as an XML file in UTF-8."""
    content: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return content


def xml_parts(root: Element, chains: Sequence[Sequence[tuple[Element, Element]]]) -> list[bytes]:
    """Return an XML file for each chain, which has the elements of that chain and none of the others'.

    Parameters
    ----------
    root : Element
        Is without all of the elements afterwards.
    chains : sequence of sequences of (Element, Element)
        Parents and their children.
    """
    for parent, child in {id(child): (parent, child) for chain in chains for parent, child in chain}.values():
        parent.remove(child)
    parts = []
    for chain in chains:
        for parent, child in chain:
            parent.append(child)
        parts.append(xml_bytes(root))
        for parent, child in chain:
            parent.remove(child)
    return parts


def child_text(element: Element | None, place: str) -> str:
    """Return the text of a child (or of one in it, by a path such as ``"a/b"``) without spaces around it."""
    found = None if element is None else element.find(place)
    return "" if found is None else "".join(found.itertext()).strip()


def child_number(element: Element, place: str, source: str) -> float:
    """Return the number in a child, by a path such as ``"a/b"``.

    Raises
    ------
    InputError
        If there is none.
    """
    try:
        return float(child_text(element, place))
    except ValueError as error:
        raise InputError(f"{source}: has no number in {element.tag}/{place}") from error


def numbers_of(text: str, source: str) -> np.ndarray:
    """Return numbers that are separated by commas or spaces; NaN for `LOWEST`.

    Raises
    ------
    InputError
        If something else is among them.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # of NumPy, where something is no number
            numbers = np.fromstring(text.replace(",", " ").strip(), np.float64, sep=" ")
    except (ValueError, DeprecationWarning) as error:
        raise InputError(f"{source}: is damaged; one of its samples is no number") from error
    numbers[numbers == LOWEST] = np.nan
    return numbers


def _decode(content: bytes) -> str:
    """Return the text of an XML file, or of its first bytes."""
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return content[len(mark) :].decode(encoding, errors="replace")
    for mark, encoding in ((b"<\0", "utf-16-le"), (b"\0<", "utf-16-be")):
        if content.startswith(mark):
            return content.decode(encoding, errors="replace")
    declared = _ENCODING.match(content[:1000])
    for encoding in (_known_encoding(declared[1].decode()) if declared else "", "utf-8"):
        try:
            if encoding:
                return content.decode(encoding)
        except UnicodeError:
            continue
    return content.decode("latin-1")


def _known_encoding(name: str) -> str:
    """Return Python's name of an encoding of text; nothing for others, or UTF-16 without its mark."""
    try:
        known = codecs.lookup(name).name
    except LookupError:
        return ""
    if known.startswith(("utf-16", "utf-32")) or not _TEXT_ENCODINGS.fullmatch(known):
        return ""
    return _WIDER.get(known, known)

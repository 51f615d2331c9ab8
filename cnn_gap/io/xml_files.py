"""Parse XML with limits."""

import re
from pathlib import Path
from xml.etree.ElementTree import Element

from cnn_gap.system.errors import InputError
from cnn_gap.system.files import read_bytes

#: The largest XML file that is read, bytes.
LARGEST_XML = 32 << 20

#: Tags of an XML file: ECGs have thousands, and a million takes minutes and gigabytes.
MOST_TAGS = 300_000

_MARKUP = re.compile(r"\s*(?:<\?.*?\?>|<!--.*?-->|<!DOCTYPE[^\[>]*(?:\[.*?\]\s*)?>)", re.DOTALL | re.IGNORECASE)
_ROOT = re.compile(r"\s*<(?:[\w.-]+:)?([A-Za-z_][\w.-]*)")


def xml_root(start: bytes) -> str | None:
    """Return the name of an XML file's root without its namespace, None if the file is no XML.

    Examples
    --------
    >>> xml_root(b'<?xml version="1.0"?><!DOCTYPE RestingECG SYSTEM "restecg.dtd"><RestingECG>')
    'RestingECG'
    """
    utf16 = start[:2] in (b"\xff\xfe", b"\xfe\xff")
    text = start.decode("utf-16" if utf16 else "utf-8-sig", errors="ignore")
    if not text.lstrip().startswith("<"):
        return None
    position = 0
    while skipped := _MARKUP.match(text, position):
        position = skipped.end()
    root = _ROOT.match(text, position)
    return root[1] if root else None


def parse_xml(path: Path) -> Element:
    """Return the root of an XML file.

    Raises
    ------
    InputError
        If it declares entities, has more than `MOST_TAGS` tags or is damaged.
    """
    from defusedxml import DefusedXmlException
    from defusedxml.ElementTree import ParseError, fromstring

    content = read_bytes(path, LARGEST_XML)
    if content.count(b"<") > MOST_TAGS:
        raise InputError(f"{path}: has too many XML tags; at most {MOST_TAGS} are read")
    try:
        root: Element = fromstring(content)
    except DefusedXmlException as error:
        raise InputError(f"{path}: declares XML entities, which are not expanded; remove them") from error
    except (ParseError, ValueError, LookupError, RecursionError) as error:
        raise InputError(f"{path}: is damaged XML ({error})") from error
    return root


def local_name(element: Element) -> str:
    """Return the name of an element without its namespace."""
    return element.tag.rpartition("}")[2]

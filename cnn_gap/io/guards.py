"""Refuse files that would take more memory than their size tells, before anything of them is unpacked."""

import base64
import io
import math
import warnings
from xml.etree.ElementTree import Element

from cnn_gap.io.recognition import AECG, DICOM, MIB, MUSE, SCP, SIERRA, FileFormat
from cnn_gap.system.errors import InputError

#: Bytes that the compressed samples of a file may become.
LARGEST_UNPACKED = 32 * MIB

#: Tags of an XML file: ECGs have thousands, and a million takes minutes and gigabytes.
MOST_TAGS = 300_000

#: DICOM files with this transfer syntax are compressed as a whole.
_DEFLATED = b"1.2.840.10008.1.2.1.99"

_XLI_BITS = 10  # of a code of the LZW compression in Philips' XLI
_LAST_CODE = 2**_XLI_BITS - 2


def require_size(source: str, size: int, form: FileFormat) -> None:
    """Refuse a file by its size in bytes.

    Raises
    ------
    InputError
        If it is empty or larger than files of the format that are read.
    """
    if size > form.largest:
        raise InputError(
            f"{source}: is too large for {form.name}; at most {form.largest // MIB} MiB are read,"
            f" received {math.ceil(size / MIB)} MiB; cut the recording into shorter ones"
        )


def require_harmless(source: str, content: bytes, form: FileFormat) -> None:
    """Refuse what would become much larger than it is, or makes a parser do what nobody asked for.

    Raises
    ------
    InputError
        If the content declares XML entities, is compressed as a whole, or announces more than it can hold.
    """
    if form in (MUSE, SIERRA, AECG):
        root = _parse_xml(source, content)
        if form is SIERRA:
            _check_xli(source, root)
    elif form is DICOM:
        _check_dicom(source, content)
    elif form is SCP:
        _check_scp(source, content)


def unpacked_size(packed: bytes, limit: int) -> int:
    """Return how many bytes LZW-compressed XLI data become, more than `limit` if they are more.

    Only the lengths of the strings are followed, as T. Welch's algorithm makes them (1984, "A technique for
    high-performance data compression"), so no memory is taken.
    """
    lengths = dict.fromkeys(range(256), 1)
    previous, following, total, bits, held = 0, 256, 0, 0, 0
    for byte in packed:
        bits, held = (bits << 8 | byte) & 0xFFFFF, held + 8
        if held < _XLI_BITS:
            continue
        held -= _XLI_BITS
        code = bits >> held & 2**_XLI_BITS - 1
        if code > _LAST_CODE:
            break
        length = lengths.setdefault(code, previous + 1)
        if previous and following <= _LAST_CODE:
            lengths[following] = previous + 1
            following += 1
        previous, total = length, total + length
        if total > limit:
            break
    return total


def _parse_xml(source: str, content: bytes) -> Element:
    from defusedxml import DefusedXmlException
    from defusedxml.ElementTree import ParseError, fromstring

    if content.count(b"<") > MOST_TAGS:
        raise InputError(f"{source}: has too many XML tags; at most {MOST_TAGS} are read")
    try:
        root: Element = fromstring(content)
    except DefusedXmlException as error:
        raise InputError(f"{source}: declares XML entities, which are not expanded; remove them") from error
    except (ParseError, ValueError, LookupError, RecursionError) as error:
        raise InputError(f"{source}: is damaged XML ({error})") from error
    return root


def _check_xli(source: str, root: Element) -> None:
    waveforms = [each for each in root.iter() if each.tag.rpartition("}")[2] == "parsedwaveforms"]
    for each in waveforms:
        if "XLI" not in {each.get(key, "").upper() for key in ("compression", "compressmethod")}:
            continue
        try:
            packed = base64.b64decode("".join("".join(each.itertext()).split()), validate=True)
        except ValueError as error:
            raise InputError(f"{source}: its samples are not valid base64 ({error})") from error
        total, position = 0, 0
        while position + 8 < len(packed):
            size = int.from_bytes(packed[position : position + 4], "little")
            total += unpacked_size(packed[position + 8 : position + 8 + size], LARGEST_UNPACKED)
            if total > LARGEST_UNPACKED:
                raise InputError(
                    f"{source}: its compressed samples would take more than {LARGEST_UNPACKED // MIB} MiB"
                )
            position += 8 + size


def _check_dicom(source: str, content: bytes) -> None:
    import pydicom

    if _DEFLATED in content:
        raise InputError(
            f"{source}: is DICOM compressed as a whole (deflated), which is not supported; export it"
            " with Explicit VR Little Endian"
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of values that are not looked at
        try:
            held = pydicom.dcmread(io.BytesIO(content))
            groups = held.get("WaveformSequence")
        except Exception as error:  # the library promises no kind of exception
            raise InputError(f"{source}: is damaged DICOM ({type(error).__name__})") from error
    if not groups:
        uid = held.get("SOPClassUID")
        known = getattr(uid, "name", uid)
        # What stands for itself may be anything in a damaged file, the patient's name among it.
        kind = "of an unknown kind" if known == uid else known
        raise InputError(f"{source}: is DICOM without a waveform ({kind}); give a 12-lead ECG or General ECG")


def _check_scp(source: str, content: bytes) -> None:
    """Require that section 6 has a bit at least for each sample that section 3 announces."""
    sections = dict(_scp_sections(content))
    leads = sections.get(3, b"")
    if not leads or len(leads) < 2 + 9 * leads[0]:
        raise InputError(f"{source}: is damaged SCP-ECG; its section of leads is missing or short")
    announced = 0
    for position in range(2, 2 + 9 * leads[0], 9):
        first, last = (int.from_bytes(leads[at : at + 4], "little") for at in (position, position + 4))
        announced += max(last - first + 1, 0)
    if announced > 8 * len(sections.get(6, b"")):
        raise InputError(
            f"{source}: is damaged SCP-ECG; it announces {announced} samples, more than its data hold"
        )


def _scp_sections(content: bytes) -> list[tuple[int, bytes]]:
    """Return the sections that section 0 points to, by number, without their headers."""
    end = min(6 + int.from_bytes(content[10:14], "little"), len(content))
    sections = []
    for at in range(22, end - 9, 10):
        number = int.from_bytes(content[at : at + 2], "little")
        length, index = (int.from_bytes(content[at + skip : at + skip + 4], "little") for skip in (2, 6))
        sections.append((number, content[index + 15 : index - 1 + length]))
    return sections

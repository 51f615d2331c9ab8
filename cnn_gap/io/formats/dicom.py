"""DICOM waveforms (PS3.3 C.10.9), read by pydicom and ecgdatakit.

A file may hold several multiplex groups: the rhythm, in one group or in groups of a few leads, rhythm strips,
and average beats, which are derived.
"""

import io
import re
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from cnn_gap.io.vendor import Part, plain_unit, read_parts, require_few
from cnn_gap.record import Record
from cnn_gap.system.errors import InputError
from cnn_gap.system.files import read_bytes

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

_LARGEST_FILE = 32 << 20

#: Files with this transfer syntax are compressed as a whole.
_DEFLATED = b"1.2.840.10008.1.2.1.99"

#: Labels of groups that hold no rhythm.
_BEAT = re.compile(r"median|representative|average|template|beat", re.IGNORECASE)

#: The attributes of a file that are kept beside a group.
_KEPT: tuple[str, ...] = (
    *("PatientAge", "PatientBirthDate", "PatientSex", "Manufacturer", "ManufacturerModelName"),
    *("AcquisitionDateTime", "AcquisitionDate", "AcquisitionTime", "ContentDate", "ContentTime"),
    *("StudyDate", "StudyTime", "TimezoneOffsetFromUTC"),
)

#: The tags that a file without a preamble may begin with: of its meta information, or of its first groups.
_FIRST_TAGS = tuple(
    bytes((group, 0, element, 0)) for group, element in ((2, 0), (2, 1), (2, 2), (2, 16), (8, 0), (8, 5))
)
_FIRST_TAGS += tuple(bytes((8, 0, element, 0)) for element in (8, 0x12, 0x13, 0x14, 0x16, 0x18, 0x20))


def recognise(start: bytes) -> bool:
    """Tell whether a file begins with DICOM's preamble, or without a preamble with one of `_FIRST_TAGS`."""
    if start[128:132] == b"DICM":
        return True
    return start.startswith(_FIRST_TAGS) and b"1.2.840.10008." in start[:1024]


def guard(path: Path) -> None:
    """Refuse files that are compressed as a whole, damaged, or without a waveform."""
    content = read_bytes(path, _LARGEST_FILE)
    if _DEFLATED in content:
        raise InputError(
            f"{path}: is DICOM compressed as a whole (deflated), which is not supported; export it"
            " with Explicit VR Little Endian"
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about values that are not used
        try:
            held = _dataset(content)
            groups = held.get("WaveformSequence")
            complete = all(map(_is_complete, groups or ()))
        except ImportError:
            raise
        except Exception as error:  # the library promises no kind of exception
            raise InputError(f"{path}: is damaged DICOM ({type(error).__name__})") from error
    if not groups:
        uid = held.get("SOPClassUID")
        known = getattr(uid, "name", uid)
        # An identifier without a known name may be any text in a damaged file, such as the patient's name.
        kind = "of an unknown kind" if known == uid else known
        raise InputError(f"{path}: is DICOM without a waveform ({kind}); give a 12-lead ECG or General ECG")
    if not complete:
        raise InputError(f"{path}: is damaged or incomplete; export it again")


def read(path: Path) -> Record:
    """Read the groups of the rhythm, each at its time."""
    content = read_bytes(path, _LARGEST_FILE)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        held = _dataset(content)
        groups = _rhythms(list(held.WaveformSequence))
        require_few(len(groups), str(path))
        return read_parts(path, [Part(_alone(held, group), _start_s(group)) for group in groups])


def _dataset(content: bytes) -> "Dataset":
    import pydicom

    return pydicom.dcmread(io.BytesIO(content), force=content[128:132] != b"DICM")


def _is_complete(group: "Dataset") -> bool:
    """Tell whether a group has as much data as it announces."""
    samples = int(group.NumberOfWaveformSamples) * int(group.NumberOfWaveformChannels)
    return len(group.WaveformData) >= samples * int(group.WaveformBitsAllocated) // 8


def _rhythms(groups: list["Dataset"]) -> list["Dataset"]:
    """Return the groups that were recorded, without average beats; all where none is known as recorded."""
    no_beats = [group for group in groups if not _BEAT.search(str(group.get("MultiplexGroupLabel", "")))]
    original = [group for group in no_beats if group.get("WaveformOriginality") != "DERIVED"]
    return original or no_beats or groups


def _start_s(group: "Dataset") -> float:
    """Return when a group begins, in s from the beginning of the recording."""
    return float(group.get("MultiplexGroupTimeOffset") or 0) / 1000


def _alone(held: "Dataset", group: "Dataset") -> bytes:
    """Return a file of one group, in the encoding of its file, with the attributes of the recording."""
    from pydicom import dcmwrite, uid
    from pydicom.dataset import Dataset, FileMetaDataset

    alone = Dataset()
    for keyword in _KEPT:
        if keyword in held:
            alone[keyword] = held[keyword]
    for channel in group.get("ChannelDefinitionSequence", ()):
        for unit in channel.get("ChannelSensitivityUnitsSequence", ()):
            unit.CodeValue = plain_unit(str(unit.get("CodeValue", "")))
    group.pop("MultiplexGroupLabel", None)  # ecgdatakit takes a group for a beat by its label
    alone.WaveformSequence = [group]
    implicit, little = held.original_encoding
    syntax = uid.ImplicitVRLittleEndian if implicit else uid.ExplicitVRLittleEndian
    alone.file_meta = FileMetaDataset()
    alone.file_meta.TransferSyntaxUID = syntax if little else uid.ExplicitVRBigEndian
    alone.file_meta.MediaStorageSOPClassUID = alone.SOPClassUID = uid.GeneralECGWaveformStorage
    alone.file_meta.MediaStorageSOPInstanceUID = alone.SOPInstanceUID = uid.generate_uid()
    buffer = io.BytesIO()
    dcmwrite(buffer, alone, enforce_file_format=True)
    return buffer.getvalue()

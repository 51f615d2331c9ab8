"""DICOM waveforms (PS3.3 C.10.9), read by pydicom and ecgdatakit."""

import io
import warnings
from pathlib import Path

from cnn_gap.io.vendor import read_vendor
from cnn_gap.record import Record
from cnn_gap.system.errors import InputError
from cnn_gap.system.files import read_bytes

_LARGEST = 32 << 20

#: Files with this transfer syntax are compressed as a whole.
_DEFLATED = b"1.2.840.10008.1.2.1.99"


def recognise(start: bytes) -> bool:
    """Tell whether a file that begins so is of this format."""
    return start[128:132] == b"DICM"


def guard(path: Path) -> None:
    """Refuse files that are compressed as a whole, damaged, or without a waveform."""
    import pydicom

    content = read_bytes(path, _LARGEST)
    if _DEFLATED in content:
        raise InputError(
            f"{path}: is DICOM compressed as a whole (deflated), which is not supported; export it"
            " with Explicit VR Little Endian"
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of values that are not looked at
        try:
            held = pydicom.dcmread(io.BytesIO(content))
            groups = held.get("WaveformSequence")
        except Exception as error:  # the library promises no kind of exception
            raise InputError(f"{path}: is damaged DICOM ({type(error).__name__})") from error
    if not groups:
        uid = held.get("SOPClassUID")
        known = getattr(uid, "name", uid)
        # What stands for itself may be anything in a damaged file, the patient's name among it.
        kind = "of an unknown kind" if known == uid else known
        raise InputError(f"{path}: is DICOM without a waveform ({kind}); give a 12-lead ECG or General ECG")


def read(path: Path) -> Record:
    """Read the rhythm waveform."""
    return read_vendor(path, several_groups=True)

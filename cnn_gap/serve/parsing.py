"""List the records among uploaded files, read one and cut its windows. A worker process does it."""

import os
import zipfile
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from cnn_gap.io.arrays import sidecar_path
from cnn_gap.io.long_records import read_whole
from cnn_gap.io.records import record_files
from cnn_gap.io.registry import record_name
from cnn_gap.io.sources import list_records
from cnn_gap.predict.preparation import RecordWindows, WindowMaker
from cnn_gap.record import Record
from cnn_gap.serve.limits import MIB
from cnn_gap.system.errors import InputError

#: Most that an archive may unpack to, as a multiple of the largest body.
UNPACKED = 4

#: Bytes that are unpacked at a time.
_CHUNK = 1 << 20


@dataclass(frozen=True)
class UploadedRecord:
    """A record among uploaded files: its name, and the path of the file that names it."""

    name: str
    path: Path


@dataclass(frozen=True, eq=False)
class ParsedRecord:
    """A record that has been read, and its windows."""

    record: Record
    windows: RecordWindows


def list_upload(folder: Path) -> list[UploadedRecord]:
    """Return the records among uploaded files, in the order of their paths.

    A single file is a record in any case, so that the error says what is wrong with it.

    Raises
    ------
    InputError
        If there are none.
    """
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    beside = {each for path in files for each in _beside(path)}
    records = [path for path in files if path not in beside]
    if len(records) == 1:
        return [UploadedRecord(record_name(records[0]), records[0])]
    try:
        listed = list_records(folder).records
    except InputError as error:
        raise InputError(str(error).replace(f"{folder}: ", "the upload: ", 1)) from error
    return [UploadedRecord(each.name, Path(each.source)) for each in listed]


def parse_single(folder: Path, maker: WindowMaker, longest_s: float) -> ParsedRecord:
    """Read the only record of an upload, as `parse` does.

    Raises
    ------
    InputError
        As `parse`, or if there are several.
    """
    records = list_upload(folder)
    if len(records) > 1:
        names = ", ".join(each.name for each in records[:3])
        raise InputError(f"the upload: holds {len(records)} records ({names}, ...); send one, or a batch")
    return parse(records[0], folder, maker, longest_s)


def parse(uploaded: UploadedRecord, folder: Path, maker: WindowMaker, longest_s: float) -> ParsedRecord:
    """Read an uploaded record and cut its windows.

    Parameters
    ----------
    uploaded : UploadedRecord
    folder : Path
        Of all uploaded files; errors name files from there on.
    maker : WindowMaker
    longest_s : float
        Longest record that is read, s.

    Raises
    ------
    InputError
        With the sentence that the commands print for this file.
    """
    try:
        record = replace(read_whole(uploaded.path), name=uploaded.name)
        if record.duration_s > longest_s:
            raise InputError(
                f"{uploaded.path}: lasts {record.duration_s / 60:.0f} minutes; at most {longest_s / 60:g} are"
                " answered here: cut it, or classify it by cnn-gap drive"
            )
        return ParsedRecord(record, maker.prepare(record))
    except InputError as error:
        raise InputError(str(error).replace(f"{folder}{os.sep}", "")) from error
    except MemoryError:
        raise
    except Exception as error:  # libraries promise no kind of exception
        raise InputError(f"{uploaded.path.name}: {error!r}") from error


def unpack(archive: Path, folder: Path, body_mib: float, most_files: int) -> None:
    """Unpack an uploaded ZIP archive; folders in it are kept, hidden files are left out.

    Raises
    ------
    InputError
        If it is damaged, has too many files, unpacks to too much or names files outside of its folder.
    """
    left = int(UNPACKED * body_mib * MIB)
    try:
        with zipfile.ZipFile(archive) as packed:
            members = [
                each for each in packed.infolist() if not each.is_dir() and not _is_hidden(each.filename)
            ]
            if len(members) > most_files:
                raise InputError(f"{archive.name}: has {len(members)} files; at most {most_files} are unpacked")
            for member in members:
                place = _place(folder, member.filename, archive.name)
                place.parent.mkdir(parents=True, exist_ok=True)
                with packed.open(member) as source, place.open("wb") as target:
                    while chunk := source.read(_CHUNK):
                        left -= len(chunk)
                        if left < 0:
                            raise InputError(
                                f"{archive.name}: unpacks to more than {UNPACKED * body_mib:g} MiB; send less"
                            )
                        target.write(chunk)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, EOFError, ValueError) as error:
        raise InputError(f"{archive.name}: is a ZIP archive that cannot be read ({error})") from error


def _beside(path: Path) -> list[Path]:
    """Return the other files of the record that a file names: its signal files, or its sidecar."""
    others = (sidecar_path(path), *record_files(path)[1:])
    return [other for other in others if other not in (None, path)]


def _is_hidden(name: str) -> bool:
    parts = PurePosixPath(name.replace("\\", "/")).parts
    return any(part.startswith((".", "__MACOSX")) for part in parts if part != "..")


def _place(folder: Path, name: str, archive: str) -> Path:
    parts = PurePosixPath(name.replace("\\", "/")).parts
    if name.startswith("/") or ".." in parts or not parts or "\0" in name:
        raise InputError(f"{archive}: names files outside of its folder; pack it again")
    return folder.joinpath(*parts)

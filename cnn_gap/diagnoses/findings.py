"""Tables of findings: diagnoses that a network predicts in addition to the classes of a weights file.

A table is a CSV with the columns `codes` (equivalents joined by ``|``, the system's own first), `system`,
`abbreviation`, `name` and `teaches` (codes of the class that is the same diagnosis, joined by ``|``; or empty).
The table `findings_scp.csv`, short name `scp`, has the 71 SCP-ECG statements of PTB-XL's reports (Wagner et al.
2020, "PTB-XL, a large publicly available electrocardiography dataset"), with our own names. Its PVC also has
the SNOMED CT code 164884008, which other databases use, and teaches the Challenge's 427172004 and 17338001.
"""

import csv
import io
from pathlib import Path

from cnn_gap.diagnoses.classes import Finding
from cnn_gap.system.errors import InputError
from cnn_gap.system.files import LARGEST_TABLE, read_text

#: The package's own tables by their short names.
SHIPPED_TABLES = {"scp": Path(__file__).parent / "findings_scp.csv"}

COLUMNS = ("codes", "system", "abbreviation", "name", "teaches")


def read_findings(table: str | Path) -> tuple[Finding, ...]:
    """Read a table of findings: a file, or the short name of one in `SHIPPED_TABLES`.

    Raises
    ------
    InputError
        If the file is missing, is not such a table or lists a code twice.
    """
    path = SHIPPED_TABLES.get(str(table), Path(table))
    findings = tuple(_finding(path, row) for row in _read_rows(path))
    codes = [code for finding in findings for code in finding.codes]
    if twice := sorted({code for code in codes if codes.count(code) > 1}):
        raise InputError(f"{path}: {twice[0]} is listed twice; list each code once")
    return findings


def _read_rows(path: Path) -> list[dict[str, str]]:
    try:
        text = read_text(
            path, LARGEST_TABLE, f"give a table of findings, or one of: {', '.join(SHIPPED_TABLES)}"
        )
        reader = csv.DictReader(io.StringIO(text), strict=True)
        rows = list(reader)
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: is not a CSV of findings ({error})") from error
    if tuple(reader.fieldnames or ()) != COLUMNS or not rows:
        raise InputError(f"{path}: is no table of findings; expected rows under {','.join(COLUMNS)}")
    return rows


def _finding(path: Path, row: dict[str, str]) -> Finding:
    cells = {key: (row[key] or "").strip() for key in COLUMNS}
    if None in row or not all(cells[key] for key in COLUMNS if key != "teaches"):
        raise InputError(f"{path}: a row must fill {', '.join(COLUMNS[:-1])}; received {list(row.values())}")
    return Finding(
        codes=tuple(cells["codes"].split("|")),
        system=cells["system"],
        abbreviation=cells["abbreviation"],
        name=cells["name"],
        teaches=tuple(filter(None, cells["teaches"].split("|"))),
    )

"""Words by which people search for a diagnosis: its names, abbreviations, codes and synonyms.

The synonyms stand in `synonyms.csv`, a row for codes that have the same ones, joined by ``|``. Statements that
only a measurement makes have no code: their keys in the reading take its place.
"""

import csv
from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

from cnn_gap.diagnoses.classes import known_diagnoses
from cnn_gap.diagnoses.findings import read_findings


def search_words(codes: Iterable[str]) -> tuple[str, ...]:
    """Return the names, abbreviations, codes and synonyms of diagnoses with these codes, each once.

    Examples
    --------
    >>> search_words(["AFIB"])
    ('AFIB', 'Atrial fibrillation', 'AF', 'A-fib', 'auricular fibrillation')
    """
    words = (word for code in codes for word in (code, *_names().get(code, ()), *_synonyms().get(code, ())))
    return tuple(dict.fromkeys(words))


@cache
def _names() -> Mapping[str, tuple[str, ...]]:
    found = {code: (about.name, about.abbreviation) for code, about in known_diagnoses().items()}
    for finding in read_findings("scp"):
        about = finding.diagnosis
        for code in finding.codes:
            found[code] = (*found.get(code, ()), about.name, about.abbreviation)
    return found


@cache
def _synonyms() -> Mapping[str, tuple[str, ...]]:
    found: defaultdict[str, tuple[str, ...]] = defaultdict(tuple)
    with (Path(__file__).parent / "synonyms.csv").open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            for code in row["codes"].split("|"):
                found[code] += tuple(row["synonyms"].split("|"))
    return dict(found)

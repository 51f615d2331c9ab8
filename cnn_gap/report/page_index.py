"""The index of a folder's records as a page: sorted by urgency, with a search for diagnoses and filters."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from string import Template
from types import MappingProxyType

from cnn_gap.diagnoses.synonyms import search_words
from cnn_gap.reading.reading import DEGREES, Degree, Reading
from cnn_gap.report.page_frame import asset, embedded, framed
from cnn_gap.report.report_text import drawable

#: The urgency of a record that cannot be read: above minor findings, and below important ones.
NOT_INTERPRETABLE = 3

#: The least urgency of a record that is not normal, such as a record that cannot be assessed completely.
BORDERLINE = 0.1

#: Added to the urgency of a record with an alert.
ALERT = 10

#: The factor of a statement's severity by its degree: a less certain statement is less urgent.
CERTAINTY: Mapping[Degree, float] = MappingProxyType({"present": 1.0, "probable": 0.8, "possible": 0.3})

# The measured values in an alert: in parentheses, leads, and numbers with their units.
_VALUES = re.compile(r" *(\(.*?\)|\bin (aV[RLF]|V\d|I).*|\bof [\d.]+ s|\b[\d.]+(/min| ms)?)")


@dataclass(frozen=True)
class IndexStatement:
    """A statement in the index.

    Attributes
    ----------
    name : str
    degree : str
        Empty without a reading.
    codes : tuple of str
        By which its search words are found: those of the network's outputs, and its key in the reading.
    """

    name: str
    degree: str
    codes: tuple[str, ...]


@dataclass(frozen=True)
class IndexRow:
    """The row of a record in the index of a folder.

    Attributes
    ----------
    name : str
        The record's.
    href : str or None
        URL of its page; None if there is none.
    conclusion : str
        Of the reading; empty where there is none.
    alerts : tuple of str
        Of the reading.
    statements : tuple of IndexStatement
        Of the reading, in its order.
    urgency : float
        The rows with the highest come first.
    probabilities : dict of str to float
        Of every class that was explained, by a name that no other class has.
    notes : tuple of str
        On the record's quality.
    failure : str
        The reason why the record could not be explained; empty if it was.
    report : str or None
        URL of its report, a PDF; None if there is none.
    """

    name: str
    href: str | None
    conclusion: str = ""
    alerts: tuple[str, ...] = ()
    statements: tuple[IndexStatement, ...] = ()
    urgency: float = 0.0
    probabilities: Mapping[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    failure: str = ""
    report: str | None = None


def urgency(reading: Reading) -> float:
    """Return how urgent it is to look at a record: by its alerts, then by its most severe statement."""
    if reading.conclusion == "not interpretable":
        return NOT_INTERPRETABLE
    severities = [each.severity * CERTAINTY[each.degree] for each in reading.statements]
    least = 0.0 if reading.conclusion == "normal" else BORDERLINE
    return round(ALERT * bool(reading.alerts) + max([least, *severities]), 2)


def index_page(rows: Sequence[IndexRow]) -> str:
    """Return the page with a table of a folder's records, which can be searched, filtered and sorted."""
    failed = [row for row in rows if row.failure]
    explained = [row for row in rows if not row.failure]
    failures = (
        Template(asset("failures.html")).substitute(
            rows="\n".join(_cells(row.name, row.failure) for row in failed)
        )
        if failed
        else ""
    )
    about = f"{len(explained)} explained" + (f", {len(failed)} failed" if failed else "")
    data = embedded(_index_data(explained))
    return framed("index", "Explained ECGs", "index.html", about=about, failures=failures, data=data)


def _index_data(rows: Sequence[IndexRow]) -> dict[str, object]:
    """Return the index's rows, with probabilities in thousandths, by `diagnoses`, and statements by `said`."""
    diagnoses = list(dict.fromkeys(name for row in rows for name in row.probabilities))
    said = {each.name: each.codes for row in rows for each in row.statements}
    places = {name: place for place, name in enumerate(said)}
    degrees = ("", *DEGREES)
    return {
        "diagnoses": [drawable(name) for name in diagnoses],
        "degrees": degrees,
        "said": [[drawable(name), [drawable(word) for word in search_words(said[name])]] for name in said],
        "rows": [
            [
                drawable(row.name),
                row.href,
                row.urgency,
                row.conclusion,
                [[alert_kind(text), drawable(text)] for text in row.alerts],
                [[places[each.name], degrees.index(each.degree)] for each in row.statements],
                drawable("; ".join(row.notes)),
                [
                    round(1000 * row.probabilities[name]) if name in row.probabilities else None
                    for name in diagnoses
                ],
                row.report,
            ]
            for row in rows
        ],
    }


def alert_kind(alert: str) -> str:
    """Return an alert without measured values and advice, by which the index filters.

    Examples
    --------
    >>> alert_kind("Run of 5 wide complexes (171/min): consider ventricular tachycardia")
    'Run of wide complexes'
    >>> alert_kind("ST elevation in V2, V3: consider acute infarction"), alert_kind("Pause of 3.1 s")
    ('ST elevation', 'Pause')
    """
    said = alert.split(":", maxsplit=1)[0]
    return _VALUES.sub("", said).strip(" ,")


def _cells(*texts: str) -> str:
    return "<tr>" + "".join(f"<td>{escape(drawable(text))}</td>" for text in texts) + "</tr>"

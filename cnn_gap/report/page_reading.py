"""The reading on a record's page, as HTML, so that it is there for screen readers and without JavaScript."""

from collections.abc import Callable, Iterable, Sequence
from html import escape

from cnn_gap.explain.explanation import ExplainedClass, Explanation
from cnn_gap.reading.reading import OVERRULED, RATES, Reading, Statement, group_not_assessed, kind_of
from cnn_gap.report.report_text import drawable, network_limits, record_notes, why
from cnn_gap.system.timed_text import clock, with_times

#: Writes a text of a reading as HTML.
Write = Callable[[str], str]

#: The text that says where the probability of a statement comes from.
JOINED = (
    "The network's probability of a statement is the highest of the outputs that mean it or, of a sinus rhythm,"
    " of all sinus rhythms; the measured rate then chooses among these."
)


def text_html(text: str) -> str:
    """Return a text as HTML."""
    return escape(drawable(text))


def time_button(seconds: float, words: str) -> str:
    """Return a button that shows the part of the record with a time, s."""
    return f'<button type="button" class="time" data-time="{seconds:.2f}">{words}</button>'


def with_buttons(text: str, words: Callable[[float], str] = clock) -> str:
    """Return a text as HTML; each time that it names is a button, with the words that a function gives."""
    return with_times(text, lambda seconds: time_button(seconds, words(seconds)), text_html)


def alerts_html(explanation: Explanation, write: Write = text_html) -> str:
    """Return the notes on the record's quality, and the alerts, each as `write` writes it."""
    reading = explanation.reading
    banner = "".join(f"<li>{_capital(write(note))}</li>" for note in quality_notes(explanation))
    parts = [f'<ul id="quality" aria-label="Quality of the record">{banner}</ul>'] if banner else []
    if reading is not None and reading.alerts:
        alerts = "".join(f"<li><strong>Alert</strong> {write(alert)}</li>" for alert in reading.alerts)
        parts.append(f'<ul id="alerts" aria-label="Alerts">{alerts}</ul>')
    return "\n".join(parts)


def quality_notes(explanation: Explanation) -> tuple[str, ...]:
    """Return the notes on the quality of a record, of its reader and of the reading, each once."""
    reading = explanation.reading
    notes = () if reading is None else reading.notes
    said = (note for note in notes if kind_of(note) not in (OVERRULED, RATES))
    once = dict.fromkeys((*record_notes(explanation), *said))
    return tuple(note for note in once if reading is None or note != reading.reason)


def reading_html(reading: Reading | None, lines: Sequence[ExplainedClass], write: Write = text_html) -> str:
    """Return the conclusion and the statements; each has a button for the map of its class, if it is explained.

    Parameters
    ----------
    reading : Reading or None
        None where no reading was made.
    lines : sequence of ExplainedClass
        The classes of the page, in its order.
    write : callable
        Writes a text of the reading as HTML; but a text that is inside a button has no buttons.
    """
    if reading is None:
        return ""
    kind = reading.conclusion.replace(" ", "-")
    name = "Not interpretable" if kind == "not-interpretable" else f"{_capital(reading.conclusion)} ECG"
    parts = [
        '<section id="reading" aria-labelledby="conclusion">',
        f'<h2 id="conclusion" class="{kind}">{name}</h2>',
        f'<p class="hint">{_capital(write(reading.reason))}</p>',
    ]
    if reading.statements:
        listed = "\n".join(_statement_html(each, lines, write) for each in reading.statements)
        parts.append(f'<ol id="statements" aria-label="Statements">\n{listed}\n</ol>')
    overruled = [note for note in reading.notes if kind_of(note) == OVERRULED]
    if overruled:
        parts.append(_list_html("overruled", "Overruled by a measurement", overruled))
    return "\n".join([*parts, "</section>"])


def limits_html(explanation: Explanation) -> str:
    """Return the lists, folded away, of statements that were not assessed and of the network's limits."""
    reading = explanation.reading
    parts = [] if reading is None else [("Not assessed", group_not_assessed(reading.not_assessed))]
    parts.append(("Limits of the network", tuple(network_limits(explanation))))
    return "\n".join(_list_html("", title, items) for title, items in parts if items)


def class_of(statement: Statement, lines: Sequence[ExplainedClass]) -> int | None:
    """Return the place of the class that says a statement, the most probable one; None if none is explained."""
    places = [place for place, each in enumerate(lines) if not set(statement.codes).isdisjoint(each.codes)]
    return max(places, key=lambda place: lines[place].probability, default=None)


def _statement_html(statement: Statement, lines: Sequence[ExplainedClass], write: Write) -> str:
    place = class_of(statement, lines)
    evidence = write if place is None else text_html
    inside = (
        f'<span class="name">{text_html(statement.name)}</span>'
        f' <span class="degree {statement.degree}">{statement.degree}</span>'
        f' <span class="why" title="{JOINED}">{why(statement, evidence)}</span>'
    )
    if place is None:
        return f"<li><div>{inside}</div></li>"
    return f'<li><button type="button" aria-pressed="false" data-class="{place}">{inside}</button></li>'


def _list_html(identity: str, title: str, items: Iterable[str]) -> str:
    listed = "".join(f"<li>{text_html(_capital(item))}</li>" for item in items)
    named = f' id="{identity}"' if identity else ""
    return f"<details{named}><summary>{title}</summary><ul>{listed}</ul></details>"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]

"""Figures of tables as flat JSON, and the results page that is made of them by a template.

Keys are "TABLE / ROW / COLUMN"; an estimate adds "... / COLUMN low" and "... / COLUMN high", the ends of its 95
% confidence interval; null is unknown. "part / NAME / ..." says on which records and when a part was measured,
and "model / ..." describes the model.

A template is Markdown with Jinja's marks: `{{ table("TABLE") }}`, `{{ figure("TABLE", "ROW", "COLUMN") }}`, `{{
measured("PART") }}` and `{{ picture }}`, the name of the reliability figure. What was not measured is said so.
"""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.common import Table, cell
from benchmarks.estimates import Estimate
from benchmarks.quality.calibration import draw
from cnn_gap.system.files import write_text

#: Figures by their keys.
Figures = dict[str, Any]

#: Between the parts of a key.
SLASH = " / "


def flat(table: Table) -> Figures:
    """Return the figures of a table by their keys."""
    figures: Figures = {}
    for name, *cells in table.rows:
        for heading, value in zip(table.headings, cells, strict=True):
            key = SLASH.join((table.name, name, heading))
            if isinstance(value, Estimate):
                figures |= {key: value.value, f"{key} low": value.low, f"{key} high": value.high}
            else:
                figures[key] = value
    unknown = [key for key, value in figures.items() if isinstance(value, float) and math.isnan(value)]
    return figures | dict.fromkeys(unknown)


def tables_of(figures: Figures) -> dict[str, Table]:
    """Return the tables that the figures are of, by their names."""
    rows: dict[str, dict[str, Figures]] = {}
    for key, value in figures.items():
        name, _, rest = key.partition(SLASH)
        row, _, heading = rest.rpartition(SLASH)
        if row and name != "part":
            rows.setdefault(name, {}).setdefault(row, {})[heading] = math.nan if value is None else value
    return {name: _table(name, each) for name, each in rows.items()}


def _table(name: str, rows: Mapping[str, Figures]) -> Table:
    joined = {row: _with_estimates(cells) for row, cells in rows.items()}
    headings = next(iter(joined.values()))
    return Table(name, tuple(headings), tuple((row, *cells.values()) for row, cells in joined.items()))


def _with_estimates(cells: Figures) -> Figures:
    """Return the cells of a row with each estimate in one cell."""
    ends = {f"{heading} {end}" for heading in cells for end in ("low", "high") if f"{heading} low" in cells}
    return {
        heading: Estimate(value, cells[f"{heading} low"], cells[f"{heading} high"])
        if f"{heading} low" in cells
        else value
        for heading, value in cells.items()
        if heading not in ends
    }


def write_page(path: Path, figures: Figures, template: str) -> None:
    """Write the page NAME.md and the reliability figure NAME-calibration.png beside the JSON at `path`."""
    picture = path.with_name(f"{path.stem}-calibration.png")
    draw(tables_of(figures).values(), picture)
    write_text(path.with_suffix(".md"), page(template, figures, picture.name))


def page(template: str, figures: Figures, picture: str = "") -> str:
    """Return the page of the figures.

    Raises
    ------
    jinja2.TemplateError
        If the template has a mistake.
    """
    import jinja2

    tables = tables_of(figures)

    def figure(*key: str) -> str:
        value = figures.get(SLASH.join(key))
        return "(not measured)" if value is None else cell(value)

    def measured(part: str) -> str:
        keys = (f"part / {part} / {each}" for each in ("command", "records", "measured"))
        command, records, when = (figures.get(key) for key in keys)
        return "Not measured." if when is None else f"`{command}`; {records or 'simulated signals'}; {when}"

    environment = jinja2.Environment(
        undefined=jinja2.StrictUndefined, keep_trailing_newline=True, autoescape=False
    )
    return environment.from_string(template).render(
        table=lambda name: str(tables.get(name, "Not measured.")),
        figure=figure,
        measured=measured,
        picture=picture,
    )

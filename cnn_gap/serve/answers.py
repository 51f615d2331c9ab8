"""The formats of an answer, and which of them a client accepts."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cnn_gap.batch.classify_folder import result_text
from cnn_gap.model.folder import ModelDescription
from cnn_gap.report.data_frames import predictions_table
from cnn_gap.report.tables import prediction_content
from cnn_gap.serve.answered import Answered
from cnn_gap.serve.drawing import Draw, draw_page, draw_pdf, draw_png
from cnn_gap.serve.problems import NOT_ACCEPTABLE, Problem


@dataclass(frozen=True)
class AnswerFormat:
    """A format of an answer.

    Attributes
    ----------
    name : str
        As of the parameter `format`, and the suffix of a file of it.
    content_type : str
    draw : callable, optional
        Makes the answer of the record's maps.
    measured : bool
        Whether beats and intervals are measured for it.
    """

    name: str
    content_type: str
    draw: Draw | None = None
    measured: bool = False


JSON = AnswerFormat("json", "application/json", measured=True)
HTML = AnswerFormat("html", "text/html", draw_page)
PDF = AnswerFormat("pdf", "application/pdf", draw_pdf)
PNG = AnswerFormat("png", "image/png", draw_png)
CSV = AnswerFormat("csv", "text/csv")
NDJSON = AnswerFormat("ndjson", "application/x-ndjson", measured=True)

#: The formats of one record's answer; the first one is the answer where anything is accepted.
RECORD_FORMATS = (JSON, HTML, PDF, PNG, CSV)

#: The formats of the answer to several records.
COLLECTION_FORMATS = (JSON, CSV)
BATCH_FORMATS = (NDJSON,)


def choose_format(accept: str, name: str | None, formats: Sequence[AnswerFormat]) -> AnswerFormat:
    """Return the format of an answer.

    Parameters
    ----------
    accept : str
        The header ``Accept`` (RFC 9110, 12.5.1); empty: anything.
    name : str or None
        The format by its name, which counts more.
    formats : sequence of AnswerFormat
        The formats of the answer, the preferred one first.

    Raises
    ------
    Problem
        If there is none.

    Examples
    --------
    >>> choose_format("text/*;q=0.5, image/png", None, RECORD_FORMATS).name
    'png'
    """
    if name is not None:
        ranked = [(1.0, each) for each in formats if each.name == name]
    else:
        ranges = [_range(part) for part in accept.split(",") if part.strip()] or [("*/*", 1.0)]
        ranked = [(_quality(each.content_type, ranges), each) for each in formats]
    best = max(ranked, key=lambda pair: pair[0], default=(0.0, None))
    if best[1] is None or not best[0]:
        known = ", ".join(f"{each.content_type} ({each.name})" for each in formats)
        raise Problem(NOT_ACCEPTABLE, f"the answers are {known}; received {name or accept}")
    return best[1]


def record_content(answered: Answered, described: ModelDescription) -> dict[str, Any]:
    """Return the answer for a record as JSON holds it: that of ``cnn-gap predict --json``, and measurements."""
    content = prediction_content(answered.prediction, described)
    classes = content.pop("classes")
    return {**content, "measurements": answered.measurements, "classes": classes}


def record_csv(answered: Answered) -> str:
    """Return the result file of a record, as ``cnn-gap drive`` writes it."""
    return result_text(answered.prediction)


def several_csv(answered: Sequence[Answered]) -> str:
    """Return the table of ``cnn-gap predict --csv``, with a row for each record."""
    table: str = predictions_table([each.prediction for each in answered]).to_csv(index=False)
    return table


def _range(part: str) -> tuple[str, float]:
    media, *parameters = (each.strip().lower() for each in part.split(";"))
    weights = [each[2:] for each in parameters if each.startswith("q=")]
    try:
        return media, min(max(float(weights[0]), 0.0), 1.0) if weights else 1.0
    except ValueError:
        return media, 0.0


def _quality(content_type: str, ranges: Sequence[tuple[str, float]]) -> float:
    """Return how much a content type is wanted: the weight of the most specific range that has it."""
    kinds = (content_type, f"{content_type.split('/')[0]}/*", "*/*")
    weights = dict(reversed(ranges))
    return next((weights[kind] for kind in kinds if kind in weights), 0.0)

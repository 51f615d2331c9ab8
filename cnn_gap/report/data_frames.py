"""The columns of a table of predictions, for data frames, Parquet files and CSVs."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from cnn_gap.diagnoses.classes import ClassSet
from cnn_gap.holter.summary import Summary
from cnn_gap.predict.prediction import Prediction
from cnn_gap.reading.interpret import UNKNOWN_TO_THE_MODEL
from cnn_gap.reading.reading import Reading
from cnn_gap.reading.statements import StatementRule, rules_for

if TYPE_CHECKING:
    import pandas

#: Columns of measured values by the names of `Reading.measured`; they are rounded to whole numbers.
MEASURED = {
    "rate": "rate",
    "pr_ms": "pr_ms",
    "qrs_ms": "qrs_ms",
    "qt_ms": "qt_ms",
    "qtc_bazett_ms": "qtcb_ms",
    "qtc_fridericia_ms": "qtcf_ms",
    "axis_deg": "axis_deg",
}

#: The columns of recordings of minutes to days.
MONITORING: dict[str, Callable[[Summary], float]] = {
    "analysed_s": lambda summary: summary.analysed_s,
    "AF_burden": lambda summary: summary.burden_of("AF"),
    "AFL_burden": lambda summary: summary.burden_of("AFL"),
    "PR_burden": lambda summary: summary.burden_of("PR"),
    "ventricular_beats": lambda summary: summary.count_of("V"),
    "atrial_beats": lambda summary: summary.count_of("A"),
    "pauses": lambda summary: summary.pauses,
    "rate_mean": lambda summary: summary.rate_mean,
}

#: The columns of `MONITORING` that are whole numbers.
COUNTS = frozenset({"ventricular_beats", "atrial_beats", "pauses"})

#: Name of the column of a statement, given its key.
STATEMENT = "p_{}"

#: Names of the two columns of an output of the network, given its short name.
PROBABILITY, LABEL = "{}_probability", "{}_label"

_READING: dict[str, type] = {
    "conclusion": str,
    "interpretation": str,
    "alerts": str,
    "statements": str,
    "not_assessed": str,
    **dict.fromkeys(MEASURED.values(), int),
}


@dataclass(frozen=True)
class TableForm:
    """The columns of a table of predictions.

    Attributes
    ----------
    classes : ClassSet
        Of the model.
    reading : bool
        Whether there are columns of the reading.
    raw : bool
        Whether each output of the network has a column of its probability, and one that tells whether it is
        answered.
    monitoring : bool
        Whether there are the columns of `MONITORING`, which are empty for records of at most two windows.
    """

    classes: ClassSet
    reading: bool = True
    raw: bool = False
    monitoring: bool = False

    @cached_property
    def types(self) -> dict[str, type]:
        """The types of the columns by name, in order: str, int, float or bool."""
        types: dict[str, type] = {"record": str, "failure": str, "answerable": bool, "notes": str}
        types |= _READING if self.reading else {}
        types |= {"age": float, "sex": str, "recorded": str}
        types |= {STATEMENT.format(rule.key): float for rule, _ in self.statements}
        for name in self.classes.short_names if self.raw else ():
            types |= {PROBABILITY.format(name): float, LABEL.format(name): bool}
        kinds = {name: int if name in COUNTS else float for name in MONITORING}
        return types | (kinds if self.monitoring else {})

    @cached_property
    def statements(self) -> tuple[tuple[StatementRule, tuple[int, ...]], ...]:
        """The statements that the network can make, each with the indices of its own outputs.

        Of several statements with the same outputs, only the one with the shortest key is taken: the heart
        rate, not the network, decides whether a sinus bradycardia is a marked one. The outputs of a complete
        block, by which the reading may state an incomplete one, are those of the complete block alone.
        """
        at = {code: index for index, codes in enumerate(self.classes.outputs) for code in codes}
        rules = rules_for(self.classes)
        known = [frozenset(at[code] for code in rule.outputs if code in at) for rule in rules]
        chosen: dict[frozenset[int], StatementRule] = {}
        for rule, outputs in zip(rules, known, strict=True):
            own = outputs.difference(*(other for other in known if other < outputs))
            if own and (own not in chosen or len(rule.key) < len(chosen[own].key)):
                chosen[own] = rule
        return tuple((rule, tuple(sorted(own))) for own, rule in chosen.items())

    def row(self, name: str, state: Mapping[str, Any]) -> list[Any]:
        """Return the cells of a record, given the `table_state` of its prediction; None where unknown."""
        probabilities = np.array(state["probabilities"], np.float64)
        reading = state["reading"] if self.reading else None
        notes = dict.fromkeys((*state["notes"], *(reading["notes"] if reading else ())))
        cells = [name, state["failure"], state["answerable"], "; ".join(notes)]
        cells += _reading_cells(reading) if self.reading else []
        cells += [state["age"], state["sex"], state["recorded"]]
        cells += [float(probabilities[list(outputs)].max()) for _, outputs in self.statements]
        if self.raw:
            answered = set(state["answered"])
            for index, probability in enumerate(probabilities.tolist()):
                cells += [probability, index in answered]
        if self.monitoring:
            held = state.get("monitoring", {})
            cells += [_whole(held.get(name)) if name in COUNTS else held.get(name) for name in MONITORING]
        return cells


def table_state(prediction: Prediction) -> dict[str, Any]:
    """Return the values of a prediction for a table, in JSON's types; a probability may be NaN."""
    state = {
        "failure": prediction.failure,
        "answerable": prediction.answerable and not prediction.failure,
        "notes": list(prediction.notes),
        **prediction.facts.to_dict(),
        "reading": _reading_state(prediction.reading),
        "probabilities": prediction.probabilities.tolist(),
        "answered": np.flatnonzero(prediction.labels).tolist(),
    }
    if (summary := prediction.summary) is None:
        return state
    return state | {"monitoring": {name: float(value(summary)) for name, value in MONITORING.items()}}


def predictions_table(
    predictions: Iterable[Prediction], raw: bool = True, reading: bool = True
) -> "pandas.DataFrame":
    """Return predictions of one classifier as a data frame with a row for each record.

    Parameters
    ----------
    predictions : iterable of Prediction
        As `Classifier.predict_batch` returns them.
    raw : bool
        Whether each output of the network has two columns: its probability, such as `AF_probability` (NaN where
        the record failed), and whether it is answered, such as `AF_label`. A finding that shares its
        abbreviation with a class is named by its system, such as `SCP-ECG:PVC_label`.
    reading : bool
        Whether there are columns of the reading.

    Returns
    -------
    pandas.DataFrame
        The columns `record`, `failure` (empty where there is none), `answerable` (whether there is a heartbeat
        that can be judged) and `notes` (joined by ``"; "``), those of the reading, age, sex and time of the
        recording, and the probability of each statement, such as `p_atrial_fibrillation`: outputs that mean the
        same are one. The documentation has a table of all columns.

    Examples
    --------
    >>> import cnn_gap
    >>> predictions = cnn_gap.load_classifier().predict_batch(["test_data/SIM0001", "test_data/SIM0002"])
    >>> cnn_gap.predictions_table(predictions)["record"].tolist()
    ['SIM0001', 'SIM0002']
    """
    import pandas

    rows = list(predictions)
    if not rows:
        return pandas.DataFrame({name: [] for name in ("record", "failure", "answerable", "notes")})
    form = TableForm(rows[0].classes, reading, raw)
    cells = (form.row(each.name, table_state(each)) for each in rows)
    kinds: dict[type, Any] = {str: object, int: "Int64", float: float, bool: bool}
    columns = zip(form.types.items(), zip(*cells, strict=True), strict=True)
    return pandas.DataFrame(
        {name: pandas.Series(values, dtype=kinds[kind]) for (name, kind), values in columns}
    )


def _whole(value: float | None) -> int | None:
    return None if value is None or math.isnan(value) else round(value)


def _reading_state(reading: Reading | None) -> dict[str, Any] | None:
    if reading is None:
        return None
    return {
        "conclusion": reading.conclusion,
        "interpretation": reading.interpretation,
        "alerts": list(reading.alerts),
        "statements": [[each.key, each.degree] for each in reading.statements],
        "not_assessed": [each for each in reading.not_assessed if each not in UNKNOWN_TO_THE_MODEL],
        "notes": list(reading.notes),
        "measured": {name: round(reading.measured[name]) for name in MEASURED if name in reading.measured},
    }


def _reading_cells(state: Mapping[str, Any] | None) -> Sequence[Any]:
    """Return the cells of `_READING`; texts are empty where there is no reading."""
    if state is None:
        return ["", "", "", "", "", *[None] * len(MEASURED)]
    return [
        state["conclusion"],
        state["interpretation"],
        "; ".join(state["alerts"]),
        " ".join(f"{key}:{degree}" for key, degree in state["statements"]),
        "; ".join(state["not_assessed"]),
        *(state["measured"].get(name) for name in MEASURED),
    ]

"""The columns of a table of predictions, for data frames, Parquet files and CSVs."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from cnn_gap.diagnoses.classes import ClassSet
from cnn_gap.predict.prediction import Prediction

if TYPE_CHECKING:
    import pandas

#: The columns before those of the classes.
ABOUT = ("record", "failure", "answerable", "notes")

#: Names of the two columns of a class, given its short name.
PROBABILITY, LABEL = "{}_probability", "{}_label"


def predictions_table(predictions: Iterable[Prediction]) -> "pandas.DataFrame":
    """Return predictions of one classifier as a data frame, a row a record.

    Parameters
    ----------
    predictions : iterable of Prediction
        As `Classifier.predict_batch` returns them.

    Returns
    -------
    pandas.DataFrame
        The columns `record`, `failure` (empty where there is none), `answerable` (whether there is a heartbeat
        that can be judged) and `notes` (on the quality of the signal, joined by ``"; "``), then for
        each class its probability, such as `AF_probability` (NaN where the record failed), and whether it is
        answered, such as `AF_label`. A finding that shares its abbreviation with a class is named by its
        system, such as `SCP-ECG:PVC_label`.

    Examples
    --------
    >>> import cnn_gap
    >>> predictions = cnn_gap.load_classifier().predict_batch(["test_data/SIM0001", "test_data/SIM0002"])
    >>> cnn_gap.predictions_table(predictions)["record"].tolist()
    ['SIM0001', 'SIM0002']
    """
    import pandas

    rows = list(predictions)
    return pandas.DataFrame(columns_of(rows, rows[0].classes) if rows else {name: [] for name in ABOUT})


def column_types(classes: ClassSet) -> dict[str, type]:
    """Return the types of the table's columns by name, in order."""
    types: dict[str, type] = {"record": str, "failure": str, "answerable": bool, "notes": str}
    for name in classes.short_names:
        types |= {PROBABILITY.format(name): float, LABEL.format(name): bool}
    return types


def columns_of(predictions: Sequence[Prediction], classes: ClassSet) -> dict[str, list[Any]]:
    """Return the columns of the table of predictions by name, in order."""
    columns: dict[str, list[Any]] = {
        "record": [each.name for each in predictions],
        "failure": [each.failure for each in predictions],
        "answerable": [each.answerable and not each.failure for each in predictions],
        "notes": ["; ".join(each.notes) for each in predictions],
    }
    for index, name in enumerate(classes.short_names):
        columns[PROBABILITY.format(name)] = [float(each.probabilities[index]) for each in predictions]
        columns[LABEL.format(name)] = [bool(each.labels[index]) for each in predictions]
    return columns

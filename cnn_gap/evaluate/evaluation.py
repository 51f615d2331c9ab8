"""Evaluate the results of a model: read them and the labels, and compute every metric."""

from dataclasses import replace
from pathlib import Path

from cnn_gap.diagnoses.classes import ClassSet, read_weights
from cnn_gap.evaluate.metrics import Scores, score
from cnn_gap.io.label_tables import read_label_table
from cnn_gap.results.challenge_files import Evaluation, read_evaluation
from cnn_gap.system.shipped import SHIPPED_WEIGHTS


def evaluate(
    labels: str | Path,
    outputs: str | Path,
    weights: str | Path = SHIPPED_WEIGHTS,
    label_table: str | Path | None = None,
) -> Scores:
    r"""Score the outputs of a model as the 2020 Challenge does.

    Parameters
    ----------
    labels : str or Path
        Folder of records whose headers have the labels.
    outputs : str or Path
        Folder of result files, or a table of results (.parquet, .csv), as the driver writes them.
    weights : str or Path
        Classes and their rewards; by default the Challenge's.
    label_table : str or Path, optional
        CSV of `record,code[,code...]`, instead of the headers' labels.

    Returns
    -------
    Scores
        Its `notes` say what limits the figures, such as classes that no result file has.

    Raises
    ------
    InputError
        If a file or folder cannot be read, or a record has no result.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     _ = Path(folder, "A1.hea").write_text("A1 12 500 5000\n#Dx: 426783006\n")
    ...     _ = Path(folder, "A1.csv").write_text("#A1\n426783006\n1\n0.9\n")
    ...     scores = evaluate(folder, folder)
    >>> scores.accuracy, scores.f_measure
    (1.0, 1.0)
    """
    classes = read_weights(Path(weights))
    table = None if label_table is None else read_label_table(Path(label_table), classes.codes)
    evaluation = read_evaluation(Path(labels), Path(outputs), classes, table)
    scores = score(classes, evaluation.labels, evaluation.outputs, evaluation.probabilities)
    return replace(scores, notes=tuple(_notes(evaluation, classes, Path(weights))))


def _notes(evaluation: Evaluation, classes: ClassSet, weights: Path) -> list[str]:
    """Return notes on facts that limit the meaning of the figures."""
    notes = []
    if evaluation.malformed:
        notes.append(
            f"{len(evaluation.malformed)} result files are malformed and count as nothing found,"
            f" the first is {evaluation.malformed[0]}"
        )
    labelled = evaluation.labels.any(axis=0)
    if missing := int((labelled & ~evaluation.answered).sum()):
        notes.append(
            f"{missing} of the {int(labelled.sum())} classes that the labels have are in no result file and"
            f" count as not found; does {weights} list the classes of the model that wrote the results?"
        )
    if not labelled.any():
        notes.append("no record has a diagnosis that the weights file lists")
    if classes.normal is None:
        notes.append(f"{weights}: has no normal class, so there is no Challenge metric")
    return notes

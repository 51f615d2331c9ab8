"""The Challenge's metrics and the columns of an evaluation.

The definitions are those of Perez Alday et al. 2020, "Classification of 12-lead ECGs: the PhysioNet/Computing
in Cardiology Challenge 2020", and the figures equal those of the Challenge's evaluator. In all functions there
are n records and C classes: labels and outputs are bool, probabilities float, all of shape (n, C).

A new column of the evaluation is an attribute of `Scores`, its line in `score` and its line in `COLUMNS`.
"""

from dataclasses import dataclass

import numpy as np

from cnn_gap.diagnoses.classes import ClassSet

#: Recall has this many times the weight of precision in the F-beta and G-beta measures.
BETA = 2


@dataclass(frozen=True, eq=False, repr=False)
class Scores:
    """The figures of the Challenge's 2020 evaluator; nan where a metric is not defined.

    Attributes
    ----------
    auroc, auprc, accuracy, f_measure, fbeta_measure, gbeta_measure, challenge_metric : float
        Over all classes; means leave out the classes for which a metric is not defined.
    class_auroc, class_auprc, class_f_measure : np.ndarray
        Of each class, shape (C,).
    positives : np.ndarray
        Number of records with each class, int of shape (C,).
    records : int
        Number of records.
    notes : tuple of str
        What limits the meaning of the figures, such as result files that are malformed.
    """

    auroc: float
    auprc: float
    accuracy: float
    f_measure: float
    fbeta_measure: float
    gbeta_measure: float
    challenge_metric: float
    class_auroc: np.ndarray
    class_auprc: np.ndarray
    class_f_measure: np.ndarray
    positives: np.ndarray
    records: int
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        figures = ", ".join(f"{column.heading} {getattr(self, column.figure):.3f}" for column in COLUMNS)
        return f"<Scores of {self.records} records: {figures}>"


@dataclass(frozen=True)
class Column:
    """A column of the evaluation.

    Attributes
    ----------
    heading : str
    figure, class_figures : str
        The attributes of `Scores` with the figure over all classes and, if there are any, those of each class.
    """

    heading: str
    figure: str
    class_figures: str = ""


#: The columns of the evaluation, in the order of the Challenge's CSVs. `cnn_gap.report.tables` shows those that
#: have figures of each class.
COLUMNS = (
    Column("AUROC", "auroc", "class_auroc"),
    Column("AUPRC", "auprc", "class_auprc"),
    Column("Accuracy", "accuracy"),
    Column("F-measure", "f_measure", "class_f_measure"),
    Column("Fbeta-measure", "fbeta_measure"),
    Column("Gbeta-measure", "gbeta_measure"),
    Column("Challenge metric", "challenge_metric"),
)
CLASS_COLUMNS = tuple(column for column in COLUMNS if column.class_figures)


def score(classes: ClassSet, labels: np.ndarray, outputs: np.ndarray, probabilities: np.ndarray) -> Scores:
    """Compute all metrics. A probability that is NaN counts as 0."""
    class_auroc, class_auprc = auroc_auprc(labels, probabilities)
    class_f_measure = f_measure(labels, outputs)
    fbeta, gbeta = beta_measures(labels, outputs)
    return Scores(
        auroc=macro_average(class_auroc),
        auprc=macro_average(class_auprc),
        accuracy=accuracy(labels, outputs),
        f_measure=macro_average(class_f_measure),
        fbeta_measure=macro_average(fbeta),
        gbeta_measure=macro_average(gbeta),
        challenge_metric=challenge_metric(classes, labels, outputs),
        class_auroc=class_auroc,
        class_auprc=class_auprc,
        class_f_measure=class_f_measure,
        positives=np.sum(labels, axis=0, dtype=int),
        records=len(labels),
    )


def auroc_auprc(labels: np.ndarray, probabilities: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the areas under the ROC and the precision-recall curve of each class, both of shape (C,).

    The ROC curve is interpolated linearly between distinct probabilities; the precision-recall curve is a step
    function. Both are nan for a class without positives, the AUROC also for one without negatives. A
    probability that is NaN counts as 0.
    """
    labels = np.asarray(labels, dtype=bool)
    probabilities = np.asarray(probabilities, dtype=np.float64)
    probabilities = np.where(np.isnan(probabilities), 0.0, probabilities)
    areas = [_areas(*columns) for columns in zip(labels.T, probabilities.T, strict=True)]
    auroc, auprc = np.array(areas, dtype=np.float64).reshape(-1, 2).T
    return auroc, auprc


def _areas(labels: np.ndarray, probabilities: np.ndarray) -> tuple[float, float]:
    """Return AUROC and AUPRC of one class."""
    positives = np.count_nonzero(labels)
    negatives = labels.size - positives
    if not positives:
        return np.nan, np.nan
    descending = np.argsort(-probabilities, kind="stable")
    ordered = probabilities[descending]
    last_of_ties = np.flatnonzero(np.append(ordered[1:] != ordered[:-1], True))
    true_positives = np.cumsum(labels[descending])[last_of_ties]
    outputs = last_of_ties + 1
    recall_gain = np.diff(true_positives, prepend=0) / positives
    auprc = np.sum(recall_gain * (true_positives / outputs))
    if not negatives:
        return np.nan, auprc
    specificity = np.concatenate(([1.0], 1 - (outputs - true_positives) / negatives))
    return np.sum(recall_gain * (specificity[1:] + specificity[:-1])) / 2, auprc


def accuracy(labels: np.ndarray, outputs: np.ndarray) -> float:
    """Return the share of records whose outputs equal their labels for all classes; nan without records."""
    labels = np.asarray(labels, dtype=bool)
    right = (labels == np.asarray(outputs, dtype=bool)).all(axis=1)
    return macro_average(right.astype(np.float64))


def f_measure(labels: np.ndarray, outputs: np.ndarray) -> np.ndarray:
    """Return the F-measure of each class, shape (C,); nan for a class without labels and outputs."""
    true_positives, false_positives, false_negatives = _confusion(labels, outputs, np.ones(len(labels)))
    return _ratio(2 * true_positives, 2 * true_positives + false_positives + false_negatives)


def beta_measures(labels: np.ndarray, outputs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the F-beta and G-beta measures of each class, shapes (C,), for beta 2.

    Each record has a weight of 1, divided equally among its labels.
    """
    weights = 1 / np.maximum(np.sum(labels, axis=1, dtype=np.float64), 1)
    true_positives, false_positives, false_negatives = _confusion(labels, outputs, weights)
    twice = (1 + BETA**2) * true_positives
    return (
        _ratio(twice, twice + false_positives + BETA**2 * false_negatives),
        _ratio(true_positives, true_positives + false_positives + BETA * false_negatives),
    )


def challenge_metric(classes: ClassSet, labels: np.ndarray, outputs: np.ndarray) -> float:
    """Return the Challenge metric: 1 if the outputs equal the labels, 0 if all outputs are "normal" alone.

    It is nan if the classes hold no normal class, and 0 if all labels are normal. Findings are left out.
    """
    if classes.normal is None:
        return np.nan
    labels, outputs = (np.asarray(each)[:, : len(classes.classes)] for each in (labels, outputs))
    weights = classes.reward_matrix()
    inactive = np.zeros(np.shape(labels), dtype=bool)
    inactive[:, classes.normal] = True
    observed, correct, baseline = (
        challenge_numerator(weights, labels, answers) for answers in (outputs, labels, inactive)
    )
    return (observed - baseline) / (correct - baseline) if correct != baseline else 0.0


def challenge_numerator(weights: np.ndarray, labels: np.ndarray, outputs: np.ndarray) -> float:
    """Return the reward of the outputs before it is normalised.

    Each pair of a labelled class (row) and an output class (column) has its reward in `weights`, shape (C, C).
    The rewards of a record are divided by the number of its classes that are labelled or output.
    """
    labels, outputs = np.asarray(labels, dtype=bool), np.asarray(outputs, dtype=bool)
    involved = np.maximum(np.count_nonzero(labels | outputs, axis=1), 1)
    return float(np.sum((labels @ weights * outputs).sum(axis=1) / involved))


def macro_average(values: np.ndarray) -> float:
    """Return the mean of the values that are not nan; nan if all are."""
    values = values[~np.isnan(values)]
    return float(values.mean()) if values.size else np.nan


def scores_csv(scores: Scores) -> str:
    """Return the figures over all classes in the Challenge's format: two lines, no newline at the end."""
    figures = (f"{getattr(scores, column.figure):.3f}" for column in COLUMNS)
    return f"{','.join(column.heading for column in COLUMNS)}\n{','.join(figures)}"


def class_scores_csv(classes: ClassSet, scores: Scores) -> str:
    """Return the figures of each class in the Challenge's format: a line for each column, no final newline."""
    lines = [("Classes", *classes.representatives)]
    for column in CLASS_COLUMNS:
        lines.append((column.heading, *(f"{value:.3f}" for value in getattr(scores, column.class_figures))))
    return "\n".join(map(",".join, lines))


def _confusion(labels: np.ndarray, outputs: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return each class's sums of the weights of true positives, false positives and false negatives."""
    labels, outputs = np.asarray(labels, dtype=bool), np.asarray(outputs, dtype=bool)
    return weights @ (labels & outputs), weights @ (~labels & outputs), weights @ (labels & ~outputs)


def _ratio(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    ratio = np.full(denominator.shape, np.nan)
    np.divide(numerator, denominator, out=ratio, where=denominator > 0)
    return ratio

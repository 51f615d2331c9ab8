"""The Challenge's metrics, and the columns of an evaluation.

Definitions: Perez Alday et al. 2020, "Classification of 12-lead ECGs: the PhysioNet/Computing in Cardiology
Challenge 2020", and the behaviour of the Challenge's evaluator, whose figures these reproduce. Everywhere, n
records and C classes: labels and outputs are bool and probabilities are float, all of shape (n, C).

A new column of the evaluation is an attribute of `Scores`, its line in `score`, and its heading in `COLUMNS` or
`CLASS_COLUMNS`: files, tables and reports take the columns from there.
"""

from dataclasses import dataclass

import numpy as np

from cnn_gap.diagnoses.classes import ClassSet

#: How much more recall counts than precision in the F-beta and G-beta measures.
BETA = 2

#: Columns over all classes, and columns of each class: heading and attribute of `Scores`.
COLUMNS = {
    "AUROC": "auroc",
    "AUPRC": "auprc",
    "Accuracy": "accuracy",
    "F-measure": "f_measure",
    "Fbeta-measure": "fbeta_measure",
    "Gbeta-measure": "gbeta_measure",
    "Challenge metric": "challenge_metric",
}
CLASS_COLUMNS = {"AUROC": "class_auroc", "AUPRC": "class_auprc", "F-measure": "class_f_measure"}


@dataclass(frozen=True, eq=False, repr=False)
class Scores:
    """The figures of the Challenge's 2020 evaluator; nan where a metric is not defined.

    Attributes
    ----------
    auroc, auprc, accuracy, f_measure, fbeta_measure, gbeta_measure, challenge_metric : float
        Figures over all classes; means ignore the classes where a metric is not defined.
    class_auroc, class_auprc, class_f_measure : np.ndarray
        Figures of each class, shape (C,).
    positives : np.ndarray
        How many records have each class, int of shape (C,).
    records : int
        How many records were evaluated.
    notes : tuple of str
        What a reader has to know of the evaluation, such as result files that are malformed.
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
        figures = ", ".join(f"{heading} {value}" for heading, value in self.figures().items())
        return f"<Scores of {self.records} records: {figures}>"

    def figures(self) -> dict[str, str]:
        """Return the figures over all classes as text, by the headings of `COLUMNS`."""
        return {heading: _text(getattr(self, attribute)) for heading, attribute in COLUMNS.items()}

    def class_figures(self) -> dict[str, list[str]]:
        """Return the figures of the classes as text, by the headings of `CLASS_COLUMNS`."""
        return {
            heading: [_text(value) for value in getattr(self, attribute)]
            for heading, attribute in CLASS_COLUMNS.items()
        }


def score(classes: ClassSet, labels: np.ndarray, outputs: np.ndarray, probabilities: np.ndarray) -> Scores:
    """Compute every metric. A probability that is NaN counts as 0."""
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
    """Return the areas under the ROC and the precision-recall curve of each class, shapes (C,).

    The ROC curve is linear between the operating points at distinct probabilities; the precision-recall curve
    is a staircase. Both are nan for a class without positives, the AUROC also for one without negatives. A
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
    """Return the fraction of records whose labels are all right; nan without records."""
    labels = np.asarray(labels, dtype=bool)
    right = (labels == np.asarray(outputs, dtype=bool)).all(axis=1)
    return macro_average(right.astype(np.float64))


def f_measure(labels: np.ndarray, outputs: np.ndarray) -> np.ndarray:
    """Return the F-measure of each class, shape (C,); nan for one that is neither labelled nor output."""
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
    """Return the Challenge metric: 1 for the labels themselves, 0 for answering "normal" always.

    It is nan where the classes hold no normal class, and 0 where all labels are normal. Findings do not count.
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
    """Return the reward that the outputs earn, before it is normalised.

    Each pair of a class labelled and a class output earns its weight, shape (C, C), divided by the number of
    classes that the record has labelled or output.
    """
    labels, outputs = np.asarray(labels, dtype=bool), np.asarray(outputs, dtype=bool)
    involved = np.maximum(np.count_nonzero(labels | outputs, axis=1), 1)
    return float(np.sum((labels @ weights * outputs).sum(axis=1) / involved))


def macro_average(values: np.ndarray) -> float:
    """Return the mean of the values that are not nan; nan if none is."""
    values = values[~np.isnan(values)]
    return float(values.mean()) if values.size else np.nan


def scores_csv(scores: Scores) -> str:
    """Return the figures over all classes as the Challenge writes them: two lines, no newline at the end."""
    figures = scores.figures()
    return f"{','.join(figures)}\n{','.join(figures.values())}"


def class_scores_csv(classes: ClassSet, scores: Scores) -> str:
    """Return the figures of each class as the Challenge writes them: four lines, no newline at the end."""
    rows = {"Classes": classes.representatives, **scores.class_figures()}
    return "\n".join(",".join((name, *values)) for name, values in rows.items())


def _text(value: float) -> str:
    return f"{value:.3f}"


def _confusion(labels: np.ndarray, outputs: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return true positives, false positives and false negatives of each class over weighted records."""
    labels, outputs = np.asarray(labels, dtype=bool), np.asarray(outputs, dtype=bool)
    return weights @ (labels & outputs), weights @ (~labels & outputs), weights @ (labels & ~outputs)


def _ratio(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    return np.divide(numerator, denominator, out=np.full(denominator.shape, np.nan), where=denominator > 0)

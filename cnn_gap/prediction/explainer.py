"""Explain a classifier's answers: maps and probabilities from one pass of the network, leads from more."""

import re
from collections.abc import Sequence

import numpy as np

from cnn_gap.ecg.diagnoses import ClassSet
from cnn_gap.ecg.headers import LEADS
from cnn_gap.ecg.twelve_leads import Record
from cnn_gap.errors import InputError
from cnn_gap.network.activation_maps import record_maps, step_centres
from cnn_gap.prediction.explanation import ExplainedClass, Explanation
from cnn_gap.prediction.predictor import Prediction, Predictor
from cnn_gap.prediction.regions import DEFAULT_LEVEL, Level, find_regions

#: The most values of the maps of a record: 2 GB of them.
LARGEST_MAPS = 1 << 28

_TOP = re.compile(r"top([1-9]\d*)|all")


def explain_records(
    predictor: Predictor,
    records: Sequence[Record],
    classes: Sequence[str] | str | None = None,
    leads: bool = False,
    level: Level = DEFAULT_LEVEL,
) -> list[Explanation]:
    """Classify and explain records together; each gets what it would get alone.

    Parameters
    ----------
    predictor : Predictor
        Its network must end with global average pooling and one dense layer.
    records : sequence of Record
        Of any sampling rate, length and set of leads.
    classes : sequence of str, or str, optional
        What to explain: codes or abbreviations; or ``"top3"``, the three most probable ones (or another
        number), or ``"all"``. If not given, what is answered, or the most probable class where nothing is.
    leads : bool
        Find out what each lead contributes too, which takes twelve more passes and a gradient a class.
    level : Level
        Above which a map makes a region.

    Raises
    ------
    InputError
        If a class is unknown, a record is too long, or the network has no activation maps.
    """
    if not records:
        return []
    for record in records:
        _require_short(record, len(predictor.classes))
    prepared = [predictor.prepare(record) for record in records]
    outputs = predictor.run_each_with_maps([each.windows for each in prepared])
    predictions = predictor.predictions(prepared, [probabilities for probabilities, _ in outputs])
    explanations = []
    for record, ready, (_, maps), prediction in zip(records, prepared, outputs, predictions, strict=True):
        chosen = _choose(prediction, classes)
        visible = ready.quality.answerable  # where nothing is answered, nothing is explained
        own_maps = maps[..., chosen] * visible
        shares = _lead_shares(predictor, record, ready.windows, own_maps, chosen) * visible if leads else None
        parts = predictor.run_lead_maps(ready.windows, chosen) * visible if leads else None
        explanations.append(_explain(predictor, record, prediction, chosen, own_maps, shares, parts, level))
    return explanations


def _require_short(record: Record, classes: int) -> None:
    """Require that a map of each class at each sample of a record fits into memory."""
    most = LARGEST_MAPS // classes
    if len(record.signal) > most:
        lasts, longest = (samples / record.sampling_rate / 60 for samples in (len(record.signal), most))
        raise InputError(
            f"{record.name or 'the record'}: lasts {lasts:.0f} minutes; with {classes} classes at most"
            f" {longest:.0f} of {record.sampling_rate:g} Hz are explained: cut it"
        )


def named_classes(known: ClassSet, classes: Sequence[str] | str | None) -> list[int]:
    """Return the indices of the classes that are named, each once; none where the records decide.

    Raises
    ------
    InputError
        If a name is unknown.
    """
    if classes is None or (isinstance(classes, str) and _TOP.fullmatch(classes)):
        return []
    names = classes.split(",") if isinstance(classes, str) else classes
    if not names:
        raise InputError("which classes to explain must be codes, abbreviations, top3 or all; received none")
    return list(dict.fromkeys(known.find(name) for name in names))


def _choose(prediction: Prediction, classes: Sequence[str] | str | None) -> list[int]:
    """Return the indices of the classes to explain, in the order asked or the most probable first."""
    if named := named_classes(prediction.classes, classes):
        return named
    order = np.argsort(-prediction.probabilities, kind="stable").tolist()
    if classes is None:
        return [index for index in order if prediction.labels[index]] or order[:1]
    match = _TOP.fullmatch(str(classes))
    count = None if match is None else match[1]
    return order if count is None else order[: int(count)]


def _lead_shares(
    predictor: Predictor, record: Record, windows: np.ndarray, maps: np.ndarray, chosen: list[int]
) -> np.ndarray:
    """Return how much the logits fall without each lead, (classes, leads); 0 for absent leads.

    By occlusion (Zeiler and Fergus 2014, "Visualizing and understanding convolutional networks"): the mean over
    time of a map's fall is exactly the fall of the logit.
    """
    shares = np.zeros((len(chosen), len(LEADS)))
    for lead in np.flatnonzero(record.leads):
        occluded = windows.copy()
        occluded[..., lead] = 0
        shares[:, lead] = (maps - predictor.run_with_maps(occluded)[1][..., chosen]).mean(axis=(0, 1))
    return shares


def _explain(
    predictor: Predictor,
    record: Record,
    prediction: Prediction,
    chosen: list[int],
    maps: np.ndarray,
    shares: np.ndarray | None,
    parts: np.ndarray | None,
    level: Level,
) -> Explanation:
    rate = predictor.description.preprocessing.sampling_rate
    activations = _on_record(predictor, record, maps)
    explained = []
    for column, index in enumerate(chosen):
        activation = activations[:, column]
        height = level.of(activation)
        about = ExplainedClass(
            diagnosis=prediction.classes.diagnoses[index],
            codes=prediction.classes.outputs[index],
            probability=float(prediction.probabilities[index]),
            threshold=predictor.description.thresholds[index],
            label=bool(prediction.labels[index]),
            activation=activation,
            level=height,
            regions=find_regions(activation, record.sampling_rate, height),
            lead_activation=None if parts is None else _on_record(predictor, record, parts[:, :, column]),
            lead_shares=None if shares is None else shares[column],
        )
        explained.append(about)
    return Explanation(
        record,
        tuple(explained),
        stride_s=predictor.map_stride / rate,
        receptive_field_s=predictor.map_receptive_field / rate,
        first_step_s=float(step_centres(1, predictor.map_stride)[0]) / rate,
        reported=tuple(
            each.diagnosis for each in sorted(prediction.answered, key=lambda answer: -answer.probability)
        ),
        unseen=predictor.unseen,
        highest_hz=predictor.description.preprocessing.highest_hz,
        notes=prediction.notes,
        answerable=prediction.answerable,
    )


def _on_record(predictor: Predictor, record: Record, maps: np.ndarray) -> np.ndarray:
    return record_maps(
        maps,
        predictor.map_stride,
        len(record.signal),
        record.sampling_rate,
        predictor.description.preprocessing,
    )

"""Explain a classifier's answers: maps and probabilities from one pass of the network, leads from more."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from cnn_gap.diagnoses.classes import ClassSet
from cnn_gap.explain.computed_maps import ComputedMaps, LeadParts, MapReader
from cnn_gap.explain.explanation import Explanation
from cnn_gap.explain.regions import DEFAULT_LEVEL, Level
from cnn_gap.leads import LEADS
from cnn_gap.predict.prediction import Prediction
from cnn_gap.predict.predictor import Predictor
from cnn_gap.record import Record
from cnn_gap.system.errors import InputError

#: The most values of the maps of a record: 2 GB of them.
LARGEST_MAPS = 1 << 28

#: The most windows without a lead that are held in memory at a time.
WINDOWS_COMPUTED_AT_ONCE = 512

_TOP = re.compile(r"top([1-9]\d*)|all")


@dataclass(frozen=True)
class Choice:
    """Which classes of a record are explained, by the network's outputs, and which of them lead by lead."""

    explained: Sequence[int]
    with_leads: Sequence[int] = ()


def explain_records(
    predictor: Predictor,
    records: Sequence[Record],
    classes: Sequence[str] | str | None = None,
    with_leads: bool = False,
    level: Level = DEFAULT_LEVEL,
) -> list[Explanation]:
    """Classify and explain records together; each gets the explanation that it would get alone.

    Parameters
    ----------
    predictor : Predictor
        Its network must end with global average pooling and one dense layer.
    records : sequence of Record
        Of any sampling rate, length and set of leads.
    classes : sequence of str, or str, optional
        Codes or abbreviations of the classes to explain; or ``"top3"``, the three most probable ones (or
        another number), or ``"all"``. By default those that are answered, or the most probable one.
    with_leads : bool
        Compute the contribution of each lead too, which takes twelve more passes and a gradient a class.
    level : Level
        A region is where the map is above it.

    Raises
    ------
    InputError
        If a class is unknown, a record is too long, or the network has no activation maps.
    """
    reader = map_reader(predictor, level)

    def choose(prediction: Prediction) -> Choice:
        chosen = chosen_classes(prediction, classes)
        return Choice(chosen, chosen if with_leads else [])

    return [reader.explanation(computed) for computed in compute_maps(predictor, records, choose)]


def map_reader(predictor: Predictor, level: Level = DEFAULT_LEVEL) -> MapReader:
    """Return what turns maps of `compute_maps` into explanations.

    Raises
    ------
    InputError
        If the network has no activation maps.
    """
    return MapReader(predictor.description, predictor.map_stride, predictor.map_receptive_field, level)


def compute_maps(
    predictor: Predictor, records: Sequence[Record], choose: Callable[[Prediction], Choice]
) -> list[ComputedMaps]:
    """Classify records and compute their maps together; each gets what it would get alone.

    Parameters
    ----------
    predictor : Predictor
    records : sequence of Record
    choose : callable
        Returns which classes of a record are to be explained, given its prediction.

    Raises
    ------
    InputError
        If a record is too long, or the network has no activation maps.
    """
    for record in records:
        _require_short(record, len(predictor.classes))
    prepared = [predictor.prepare(record) for record in records]
    outputs = predictor.run_each_with_maps([each.windows for each in prepared])
    predictions = predictor.predictions(prepared, [probabilities for probabilities, _ in outputs])
    looks = [
        _Look(record, ready.windows, maps, choose(prediction), ready.quality.answerable)
        for record, ready, (_, maps), prediction in zip(records, prepared, outputs, predictions, strict=True)
    ]
    shares = _lead_shares(predictor, looks)
    return [
        ComputedMaps(
            look.record,
            prediction,
            look.choice.explained,
            look.own_maps(look.choice.explained),
            _lead_parts(predictor, look, own_shares) if look.choice.with_leads else None,
        )
        for look, prediction, own_shares in zip(looks, predictions, shares, strict=True)
    ]


@dataclass(frozen=True, eq=False)
class _Look:
    """A record, its windows and the maps of all classes in them, and what is to be explained.

    Where nothing is answered (`visible` is false), nothing is explained.
    """

    record: Record
    windows: np.ndarray
    maps: np.ndarray
    choice: Choice
    visible: bool

    def own_maps(self, columns: Sequence[int]) -> np.ndarray:
        """Return the maps of some classes, (windows, steps, len(columns))."""
        return self.maps[..., list(columns)] * self.visible

    def without(self, lead: int) -> np.ndarray:
        """Return the windows with a lead at 0 mV."""
        occluded = self.windows.copy()
        occluded[..., lead] = 0
        return occluded


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


def chosen_classes(prediction: Prediction, classes: Sequence[str] | str | None) -> list[int]:
    """Return the indices of the classes to explain, in the order asked or the most probable first."""
    if named := named_classes(prediction.classes, classes):
        return named
    order = np.argsort(-prediction.probabilities, kind="stable").tolist()
    if classes is None:
        return [index for index in order if prediction.labels[index]] or order[:1]
    match = _TOP.fullmatch(str(classes))
    count = None if match is None else match[1]
    return order if count is None else order[: int(count)]


def _lead_shares(predictor: Predictor, looks: Sequence[_Look]) -> list[np.ndarray]:
    """Return how much the logits of each record fall without each lead, (classes, leads); 0 for absent leads.

    By occlusion (Zeiler and Fergus 2014, "Visualizing and understanding convolutional networks"): the mean over
    time of a map's fall is exactly the fall of the logit.
    """
    shares = [np.zeros((len(look.choice.with_leads), len(LEADS))) for look in looks]
    for several in _together(looks):
        outputs = predictor.run_each_with_maps([looks[index].without(lead) for index, lead in several])
        for (index, lead), (_, without) in zip(several, outputs, strict=True):
            columns = list(looks[index].choice.with_leads)
            falls = looks[index].own_maps(columns) - without[..., columns]
            shares[index][:, lead] = falls.mean(axis=(0, 1))
    return [each * look.visible for each, look in zip(shares, looks, strict=True)]


def _together(looks: Sequence[_Look]) -> Iterator[list[tuple[int, int]]]:
    """Yield which leads of which records (by their index) are left out together: windows that fit in memory."""
    several: list[tuple[int, int]] = []
    count = 0
    for index, look in enumerate(looks):
        for lead in np.flatnonzero(look.record.leads).tolist() if look.choice.with_leads else []:
            if several and count + len(look.windows) > WINDOWS_COMPUTED_AT_ONCE:
                yield several
                several, count = [], 0
            several.append((index, lead))
            count += len(look.windows)
    if several:
        yield several


def _lead_parts(predictor: Predictor, look: _Look, shares: np.ndarray) -> LeadParts:
    columns = look.choice.with_leads
    return LeadParts(columns, shares, predictor.run_lead_maps(look.windows, columns) * look.visible)

"""Explain records: one pass of the network for the maps, twelve more and gradients for the leads."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from cnn_gap.diagnoses.classes import ClassSet, same_diagnoses
from cnn_gap.explain.computed_maps import ComputedMaps, LeadParts, MapReader
from cnn_gap.explain.explanation import Explanation
from cnn_gap.explain.map_predictor import MapPredictor
from cnn_gap.explain.regions import DEFAULT_LEVEL, Level
from cnn_gap.leads import LEADS
from cnn_gap.network.map_logits import logits_of_maps
from cnn_gap.predict.prediction import Prediction
from cnn_gap.predict.preparation import RecordWindows
from cnn_gap.record import Record
from cnn_gap.system.errors import InputError

#: Maximum number of values of the maps of a record, samples × classes: 2 GB of them.
LARGEST_MAPS = 1 << 28

#: Maximum number of windows without a lead that are held in memory at a time.
WINDOWS_COMPUTED_AT_ONCE = 512

_TOP = re.compile(r"top([1-9]\d*)|all")


@dataclass(frozen=True)
class ClassChoice:
    """The classes of a record to explain, and those to explain lead by lead, as indices of the outputs."""

    explained: Sequence[int]
    with_leads: Sequence[int] = ()


def explain_records(
    predictor: MapPredictor,
    records: Sequence[Record],
    classes: Sequence[str] | str | None = None,
    with_leads: bool = False,
    level: Level = DEFAULT_LEVEL,
) -> list[Explanation]:
    """Classify and explain records together; each gets the explanation that it would get alone.

    Parameters
    ----------
    predictor : MapPredictor
    records : sequence of Record
        Of any sampling rate, length and set of leads.
    classes : sequence of str, or str, optional
        Codes or abbreviations of the classes to explain; or ``"top3"``, the three most probable diagnoses
        (or another number), or ``"all"``. By default those that are answered, or the most probable one.
    with_leads : bool
        Compute the contribution of each lead too, which takes twelve more passes and a gradient for each class.
    level : Level
        A region is where the map is above it.

    Raises
    ------
    InputError
        If a class is unknown, a record is too long, or the network has no activation maps.
    """
    reader = map_reader(predictor, level)

    def choose(prediction: Prediction) -> ClassChoice:
        chosen = chosen_classes(prediction, classes)
        return ClassChoice(chosen, chosen if with_leads else [])

    return [reader.explanation(computed) for computed in compute_maps(predictor, records, choose)]


def map_reader(predictor: MapPredictor, level: Level = DEFAULT_LEVEL) -> MapReader:
    """Return a reader that makes explanations of the maps of `compute_maps`.

    Raises
    ------
    InputError
        If the network has no activation maps.
    """
    return MapReader(predictor.description, predictor.map_stride, predictor.map_receptive_field, level)


def compute_maps(
    predictor: MapPredictor, records: Sequence[Record], choose: Callable[[Prediction], ClassChoice]
) -> list[ComputedMaps]:
    """Classify records and compute their maps together; each gets the maps that it would get alone.

    Parameters
    ----------
    predictor : MapPredictor
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
    return maps_of_prepared(predictor, records, [predictor.prepare(record) for record in records], choose)


def maps_of_prepared(
    predictor: MapPredictor,
    records: Sequence[Record],
    prepared: Sequence[RecordWindows],
    choose: Callable[[Prediction], ClassChoice],
) -> list[ComputedMaps]:
    """Classify records whose windows are cut and compute their maps, as `compute_maps` does."""
    outputs = predictor.run_each_with_maps([each.windows for each in prepared])
    predictions = predictor.predictions(prepared, [probabilities for probabilities, _ in outputs])
    mapped = [
        _MappedRecord(record, prediction, ready.windows, maps, choose(prediction))
        for record, ready, (_, maps), prediction in zip(records, prepared, outputs, predictions, strict=True)
    ]
    shares = _lead_shares(predictor, mapped)
    return [_computed(predictor, each, own_shares) for each, own_shares in zip(mapped, shares, strict=True)]


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
        raise InputError("the classes to explain must be codes, abbreviations, top3 or all; received none")
    try:
        return list(dict.fromkeys(known.find(name) for name in names))
    except InputError as error:
        raise InputError(f"{error}; instead of names, give topN, such as top3, or all") from error


def chosen_classes(prediction: Prediction, classes: Sequence[str] | str | None) -> list[int]:
    """Return the indices of the classes to explain, in the order asked or the most probable first."""
    if named := named_classes(prediction.classes, classes):
        return named
    order: list[int] = np.argsort(-prediction.probabilities, kind="stable").tolist()
    if classes is None:
        return [index for index in order if prediction.labels[index]] or order[:1]
    match = _TOP.fullmatch(str(classes))
    count = None if match is None else match[1]
    return order if count is None else _different(prediction, order)[: int(count)]


def _different(prediction: Prediction, order: Sequence[int]) -> list[int]:
    """Return the outputs of an order with each diagnosis once, at the place of its most probable output.

    Of several outputs of one diagnosis, such as the Challenge's atrial fibrillation and SCP-ECG's AFIB, the
    most probable one stands for all, as on a page; where only others are answered, the most probable of these.
    """
    same = same_diagnoses(prediction.classes.diagnoses)
    outputs: dict[int, int] = {}
    for index in order:
        chosen = outputs.setdefault(same[index], index)
        if prediction.labels[index] and not prediction.labels[chosen]:
            outputs[same[index]] = index
    return list(outputs.values())


@dataclass(frozen=True, eq=False)
class _MappedRecord:
    """A record with its prediction, its windows, the maps of all classes, and the choice of classes to explain.

    The maps and shares of a record that is not answerable are 0.
    """

    record: Record
    prediction: Prediction
    windows: np.ndarray
    maps: np.ndarray
    choice: ClassChoice

    def maps_of(self, columns: Sequence[int]) -> np.ndarray:
        """Return the maps of some classes, (windows, steps, len(columns))."""
        chosen: np.ndarray = self.maps[..., list(columns)] * self.prediction.answerable
        return chosen

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


def _lead_shares(predictor: MapPredictor, mapped: Sequence[_MappedRecord]) -> list[np.ndarray]:
    """Return how much the logits of each record fall without each lead, (classes, leads); 0 for absent leads.

    By occlusion (Zeiler and Fergus 2014, "Visualizing and understanding convolutional networks").
    """
    head = predictor.trained.structure.head
    shares = [np.zeros((len(each.choice.with_leads), len(LEADS))) for each in mapped]
    for group in _occlusion_groups(mapped):
        outputs = predictor.run_each_with_maps([mapped[index].without(lead) for index, lead in group])
        for (index, lead), (_, without) in zip(group, outputs, strict=True):
            columns = list(mapped[index].choice.with_leads)
            before, behind = (
                logits_of_maps(maps, head.momentary[columns], head.moment_steps)
                for maps in (mapped[index].maps_of(columns), without[..., columns])
            )
            shares[index][:, lead] = (before - behind).mean(axis=0)
    return [share * each.prediction.answerable for share, each in zip(shares, mapped, strict=True)]


def _occlusion_groups(mapped: Sequence[_MappedRecord]) -> Iterator[list[tuple[int, int]]]:
    """Yield pairs of a record's index and a lead to leave out: as many as `WINDOWS_COMPUTED_AT_ONCE` allows."""
    group: list[tuple[int, int]] = []
    windows = 0
    for index, each in enumerate(mapped):
        for lead in np.flatnonzero(each.record.leads).tolist() if each.choice.with_leads else []:
            if group and windows + len(each.windows) > WINDOWS_COMPUTED_AT_ONCE:
                yield group
                group, windows = [], 0
            group.append((index, lead))
            windows += len(each.windows)
    if group:
        yield group


def _computed(predictor: MapPredictor, mapped: _MappedRecord, shares: np.ndarray) -> ComputedMaps:
    """Return the maps of the chosen classes, and the contributions of leads where they are wanted."""
    explained, with_leads = mapped.choice.explained, mapped.choice.with_leads
    leads = None
    if with_leads:
        lead_maps = predictor.run_lead_maps(mapped.windows, with_leads) * mapped.prediction.answerable
        leads = LeadParts(with_leads, shares, lead_maps)
    return ComputedMaps(mapped.record, mapped.prediction, explained, mapped.maps_of(explained), leads)

"""The explanation of a recording of minutes to days: its events, and the maps of the strips that show them."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import numpy as np

from cnn_gap.explain.computed_maps import reported_by
from cnn_gap.explain.events import Event, Strip, choose_strips, find_events
from cnn_gap.explain.explainer import ClassChoice, map_reader, maps_of_prepared
from cnn_gap.explain.explanation import EXPLANATION_FORMAT, ExplainedClass, Explanation
from cnn_gap.explain.map_predictor import MapPredictor
from cnn_gap.explain.regions import DEFAULT_LEVEL, Level
from cnn_gap.io.long_records import LongRecord, in_parts
from cnn_gap.predict.prediction import Prediction
from cnn_gap.record import Record
from cnn_gap.signal.pieces import gain_of, windows_at
from cnn_gap.system.timed_text import clock

#: Records that last longer than this, s, are explained by strips; of others the whole record has maps.
LONGEST_WHOLE_S = 180.0


@dataclass(frozen=True, eq=False)
class ExplainedStrip:
    """A strip with its explanation, whose times count from the strip's start.

    Attributes
    ----------
    strip : Strip
    explanation : Explanation
    named : bool
        Whether its classes were asked for by name.
    """

    strip: Strip
    explanation: Explanation
    named: bool = False

    @property
    def shown(self) -> ExplainedClass | None:
        """The class whose map is shown first: the first that was named, or an answered one of the event."""
        classes, outputs = self.explanation.classes, self.strip.event.outputs
        if not self.explanation.answerable:
            return None
        if self.named:
            return classes[0]
        speaking = (each for each in classes if each.diagnosis.abbreviation in outputs)
        return next((each for each in speaking if each.label), None)


@dataclass(frozen=True, eq=False)
class LongExplanation:
    """An explained recording of minutes to days.

    Attributes
    ----------
    record : LongRecord
    prediction : Prediction
        Of the whole recording.
    events : tuple of Event
        The most urgent ones first.
    strips : tuple of ExplainedStrip
        In the order of the events that they show.
    whole : Explanation
        The reading, notes and probabilities of the whole recording, for texts: without maps, and with the
        signal of the first seconds only.
    """

    record: LongRecord
    prediction: Prediction
    events: tuple[Event, ...]
    strips: tuple[ExplainedStrip, ...]
    whole: Explanation

    @property
    def duration_s(self) -> float:
        """Of the recording, s."""
        return self.record.samples / self.record.sampling_rate

    def strip_of(self, event: Event) -> int | None:
        """Return the place of the strip that shows an event; None if no strip does."""
        for place, each in enumerate(self.strips):
            if each.strip.event == event or each.strip.shows(event, each.explanation.record.duration_s):
                return place
        return None

    def to_dict(self) -> dict[str, Any]:
        """Return the content for JSON: the reading, the summary, the events, and the explanation of each strip.

        Times in the `explanation` of a strip count from its `start_s`.
        """
        summary = self.prediction.summary
        return {
            "format": EXPLANATION_FORMAT,
            "record": self.record.name,
            "sampling_rate": self.record.sampling_rate,
            "samples": self.record.samples,
            "notes": list(self.prediction.notes),
            "answerable": self.prediction.answerable,
            "reading": None if self.prediction.reading is None else self.prediction.reading.to_dict(),
            "summary": None if summary is None else summary.to_dict(),
            "events": [
                {"kind": each.kind, "title": each.title, "start_s": each.start_s, "end_s": each.end_s}
                for each in self.events
            ],
            "strips": [
                {
                    "start_s": each.strip.start_s,
                    "event": each.strip.event.title,
                    "explanation": each.explanation.to_dict(),
                }
                for each in self.strips
            ],
        }


def as_long(record: Record | LongRecord) -> LongRecord | None:
    """Return a record that is explained by strips as one that is read in parts; None of a shorter one."""
    long = in_parts(record) if isinstance(record, Record) else record
    return long if long.samples / long.sampling_rate > LONGEST_WHOLE_S else None


def explain_long(
    predictor: MapPredictor,
    record: LongRecord,
    choose: Callable[[Event, Prediction], ClassChoice],
    level: Level = DEFAULT_LEVEL,
    named: bool = False,
) -> LongExplanation:
    """Classify a recording and explain the strips that show its events.

    Parameters
    ----------
    predictor : MapPredictor
    record : LongRecord
        It is read part by part.
    choose : callable
        Returns which classes of a strip are to be explained, given its event and its own prediction.
    level : Level
        A region is where a strip's map is above it.
    named : bool
        Whether the classes that `choose` returns were asked for by name.

    Raises
    ------
    InputError
        If the record cannot be read, or the network has no activation maps.
    """
    prediction = predictor.predict_long(record, predictor.prepare(record))
    monitoring, seconds = prediction.monitoring, predictor.description.preprocessing.window_s
    events = () if monitoring is None else find_events(monitoring)
    strips = choose_strips(events, record.samples / record.sampling_rate, seconds)
    gain = gain_of(record, predictor.description.preprocessing) if strips else 1.0
    explained = tuple(
        ExplainedStrip(strip, explain_strip(predictor, record, strip, gain, choose, level), named)
        for strip in strips
    )
    return LongExplanation(record, prediction, events, explained, _whole(predictor, record, prediction))


def explain_strip(
    predictor: MapPredictor,
    record: LongRecord,
    strip: Strip,
    gain: float,
    choose: Callable[[Event, Prediction], ClassChoice],
    level: Level,
) -> Explanation:
    """Return the explanation of a strip.

    The network sees the recording around the strip, and its gain is that of the whole recording: a strip at the
    place of one of the recording's windows has that window's probabilities. The parameters are those of
    `explain_long`.
    """
    preprocessing = predictor.description.preprocessing
    part = part_of(record, strip.start_s, preprocessing.window_s)
    start = round(strip.start_s * preprocessing.sampling_rate)
    windows = windows_at(record, preprocessing, gain, np.array([start]))
    ready = replace(predictor.prepare(part), windows=windows)

    def chosen(prediction: Prediction) -> ClassChoice:
        return choose(strip.event, prediction)

    (computed,) = maps_of_prepared(predictor, [part], [ready], chosen)
    return map_reader(predictor, level).explanation(computed)


def part_of(record: LongRecord, start_s: float, seconds: float) -> Record:
    """Return a part of a recording under the recording's name with the time at which the part begins."""
    first = round(start_s * record.sampling_rate)
    last = min(first + round(seconds * record.sampling_rate), record.samples)
    time = None if record.time is None else record.time + timedelta(seconds=start_s)
    return replace(record.part(first, last), name=f"{record.name}, {clock(start_s)}", time=time)


def _whole(predictor: MapPredictor, record: LongRecord, prediction: Prediction) -> Explanation:
    """Return the explanation of the whole recording for texts: its reading and classes; the maps are 0."""
    description = predictor.description
    rate = description.preprocessing.sampling_rate
    begin = part_of(record, 0.0, description.preprocessing.window_s)
    nothing = np.zeros(len(begin.signal), np.float32)
    classes = tuple(
        ExplainedClass(
            diagnosis=about,
            codes=prediction.classes.outputs[index],
            probability=float(prediction.probabilities[index]),
            threshold=description.thresholds[index],
            label=bool(prediction.labels[index]),
            activation=nothing,
            level=0.0,
            regions=(),
        )
        for index, about in enumerate(prediction.classes.diagnoses)
    )
    return Explanation(
        replace(begin, name=record.name, time=record.time),
        classes,
        stride_s=predictor.map_stride / rate,
        receptive_field_s=predictor.map_receptive_field / rate,
        reported=reported_by(prediction),
        unseen=description.unseen,
        highest_hz=description.preprocessing.highest_hz,
        notes=prediction.notes,
        answerable=prediction.answerable,
        reading=prediction.reading,
    )

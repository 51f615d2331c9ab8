"""A recording of minutes to days: timeline, beats, episodes and summary."""

from dataclasses import dataclass
from functools import cached_property

from cnn_gap.holter.beat_labels import LabelledBeats, label_beats
from cnn_gap.holter.beat_shapes import MeasuredBeats
from cnn_gap.holter.episodes import Episode, find_episodes
from cnn_gap.holter.summary import Summary, summarise
from cnn_gap.holter.timeline import Timeline


@dataclass(frozen=True, eq=False)
class Monitoring:
    """The timeline, beats, episodes and summary of a recording.

    Attributes
    ----------
    timeline : Timeline
        The probabilities by window.
    measured : MeasuredBeats
        Its beats, as they were measured.
    """

    timeline: Timeline
    measured: MeasuredBeats

    @cached_property
    def beats(self) -> LabelledBeats:
        """The beats with their labels."""
        return label_beats(self.measured, self.timeline)

    @cached_property
    def episodes(self) -> tuple[Episode, ...]:
        """The episodes in order of their start."""
        return find_episodes(self.timeline, self.beats, self.measured.large_waves)

    @cached_property
    def summary(self) -> Summary:
        """The recording in numbers."""
        return summarise(self.timeline, self.beats, self.episodes)

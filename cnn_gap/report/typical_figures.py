"""Pictures of a recording's typical beats for its page."""

from collections.abc import Sequence
from html import escape

import numpy as np

from cnn_gap.report.typical_beats import NAMES, SIGNAL, TypicalBeat

# A typical beat's picture: mm a second and a millivolt, and its margin, mm.
_SPEED, _GAIN, _MARGIN = 40.0, 8.0, 1.0
_REACH_MV = (0.3, 3.0)  # of a picture above and below the baseline, at least and at most


def typical_html(found: Sequence[TypicalBeat], total: int) -> str:
    """Return a picture of each kind of beats, which leads to the beat that is most like the median.

    Parameters
    ----------
    found : sequence of TypicalBeat
    total : int
        How many beats the recording has.
    """
    return "\n".join(_figure(each, total) for each in found)


def _figure(typical: TypicalBeat, total: int) -> str:
    """Return the picture of a kind of beats: some of them pale, over them their median, lead beside lead."""
    count = typical.beats.shape[1]
    width = _SPEED * count / SIGNAL.sampling_rate
    up, down = (
        _GAIN * float(np.clip(side, *_REACH_MV)) for side in (typical.median.max(), -typical.median.min())
    )
    high = up + down + 2 * _MARGIN
    parts = []
    for column, lead in enumerate(typical.leads):
        left = column * (width + 2)
        paths = [_path(values[:, column], left, up + _MARGIN, high) for values in typical.beats]
        parts += [f'<path class="one" d="{path}"/>' for path in paths]
        parts.append(f'<path class="median" d="{_path(typical.median[:, column], left, up + _MARGIN, high)}"/>')
        parts.append(f'<text x="{left:.1f}" y="3">{lead}</text>')
    name = escape(NAMES[typical.symbol])
    share = typical.count / total
    box = f"0 0 {len(typical.leads) * (width + 2):.1f} {high:.1f}"
    return (
        f'<figure><button type="button" data-time="{typical.time_s:.2f}"><svg viewBox="{box}" role="img"'
        f' aria-label="{name} beats: their median">{"".join(parts)}</svg></button>'
        f"<figcaption><b>{name}</b> {typical.count:,} ({share:.1%})</figcaption></figure>"
    )


def _path(values: np.ndarray, left: float, baseline: float, high: float) -> str:
    x = left + _SPEED * np.arange(len(values)) / SIGNAL.sampling_rate
    y = np.clip(baseline - _GAIN * values, 0, high)
    points = " ".join(f"{across:.1f} {down:.1f}" for across, down in zip(x[::2], y[::2], strict=True))
    return f"M{points}"

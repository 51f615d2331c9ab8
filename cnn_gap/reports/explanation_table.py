"""An explanation as a table for people."""

import numpy as np

from cnn_gap.ecg.headers import LEADS
from cnn_gap.prediction.explanation import ExplainedClass, Explanation
from cnn_gap.reports.tables import aligned

#: Regions and leads of a class that are named, the strongest ones.
SHOWN = 3


def explanation_table(explanation: Explanation) -> str:
    """Return a line for each class: its probability, its strongest regions and the leads that it rests on."""
    rows = [("Probability", "Answered", "Diagnosis", "", "Shows at (s)", "Leads")]
    for each in explanation.classes:
        answered = "yes" if each.label else "no"
        about = each.diagnosis
        rows.append(
            (f"{each.probability:.3f}", answered, about.name, about.abbreviation, _regions(each), _leads(each))
        )
    return aligned(rows)


def _regions(explained: ExplainedClass) -> str:
    strongest = sorted(explained.regions, key=lambda region: -region.activation)[:SHOWN]
    shown = [
        f"{region.start_s:.2f}-{region.end_s:.2f}" for region in sorted(strongest, key=lambda r: r.start_s)
    ]
    more = len(explained.regions) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "") or "nowhere"


def _leads(explained: ExplainedClass) -> str:
    if explained.lead_shares is None:
        return ""
    order = np.argsort(-explained.lead_shares, kind="stable")[:SHOWN]
    return ", ".join(LEADS[lead] for lead in order if explained.lead_shares[lead] > 0)

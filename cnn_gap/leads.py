"""The twelve leads: their names, and which of them follow from others."""

from collections import Counter
from collections.abc import Collection, Sequence

from cnn_gap.system.errors import InputError

#: The twelve leads in the order of every signal of this package.
LEADS = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")

#: What a limb lead is, as (share of I, share of II), by Einthoven's and Goldberger's definitions.
LIMB_LEADS = {"III": (-1.0, 1.0), "aVR": (-0.5, -0.5), "aVL": (1.0, -0.5), "aVF": (-0.5, 1.0)}

_CANONICAL = {lead.lower(): lead for lead in LEADS}


def canonical_lead(name: str) -> str:
    """Return the name as `LEADS` spells it, other names as they are."""
    return _CANONICAL.get(name.strip().lower(), name.strip())


def lead_columns(names: Sequence[str], source: str, wanted: Collection[str] = LEADS) -> dict[int, int]:
    """Return where each of the twelve leads is stored: indices of `LEADS` to those of `names`.

    Parameters
    ----------
    names : sequence of str
        As `canonical_lead` returns them. A single lead named ECG is taken as lead I: the hand-held devices of
        Challenge 2017 record between the arms.
    source : str
        What to call the record in errors.
    wanted : collection of str
        Leads that are not among these are as if they were absent.

    Raises
    ------
    InputError
        If there is none.
    """
    if len(names) == 1 and names[0].lower() == "ecg":
        names = ["I"]
    columns = {LEADS.index(lead): names.index(lead) for lead in LEADS if lead in names and lead in wanted}
    if not columns:
        raise InputError(f"{source}: has none of the twelve leads; its leads are {', '.join(names)[:80]}")
    return columns


def lead_notes(names: Sequence[str]) -> tuple[str, ...]:
    """Return what there is to say of the names of leads: which come twice, and which are left out.

    Examples
    --------
    >>> lead_notes(["I", "ii", "II", "vx"])
    ('lead II is given twice: the first counts', 'left out, as none of the twelve leads: vx')
    """
    counts = Counter(map(canonical_lead, names))
    twice = tuple(f"lead {lead} is given twice: the first counts" for lead in LEADS if counts[lead] > 1)
    others = [name for name in counts if name not in LEADS]
    if not others or len(names) == 1:
        return twice
    return (*twice, f"left out, as none of the twelve leads: {', '.join(others)[:80]}")

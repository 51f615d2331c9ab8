"""The twelve leads: their names in every dialect, and which of them follow from others."""

import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache

from cnn_gap.system.errors import InputError

#: The twelve leads in the order of every signal of this package.
LEADS = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")

#: Each limb lead as (share of I, share of II), by Einthoven's and Goldberger's definitions.
LIMB_LEADS = {"III": (-1.0, 1.0), "aVR": (-0.5, -0.5), "aVL": (1.0, -0.5), "aVF": (-0.5, 1.0)}

#: Prefixes of leads of the opposite sign, such as Cabrera's and SCP-ECG's -aVR.
INVERTED = "-"

#: Spellings without spaces and punctuation, in lower case: DI is Latin America's and France's lead I.
_SPELLINGS = {lead.lower(): lead for lead in LEADS}
_SPELLINGS |= {"di": "I", "dii": "II", "diii": "III", "d1": "I", "d2": "II", "d3": "III"}

#: Prefixes of a lead's name: ISO 11073's codes, EDF+'s signal type, and "lead" in other languages.
_BEFORE = re.compile(
    r"inverted|mdcecglead|mdcecgelecpotl|ecglead|ekglead|ecg|ekg|leads|lead|ableitung|abl|derivation"
    r"|derivacion|derivacao|derivazione|deriv|afleiding|avledning|odprowadzenie|отведение|导联"
)

#: Suffixes of a lead's name: who described the lead first, DICOM's explanation, and Chinese for "lead".
_AFTER = re.compile(r"(?:einthoven|goldberger|wilson|augmentedvoltage(?:right|left|foot)|inverted|neg|导联)$")
_OPPOSITE = re.compile(r"^[-−–]|[-−–]$|\binverted\b|(?<=[IVRLF1-6])neg$")

#: Leads of monitors and Holters, and the one of the twelve that each is nearest to: the modified limb leads of
#: the MIT-BIH and European ST-T databases, modified chest leads (MCL; Drew et al. 2004,
#: doi:10.1161/01.CIR.0000145144.56673.59), and bipolar leads to a chest lead's place from the manubrium (CM).
NEAREST_LEADS = {"mli": "I", "ml1": "I", "mlii": "II", "ml2": "II", "mliii": "III", "ml3": "III"}
NEAREST_LEADS |= {f"{kind}v{number}": f"V{number}" for kind in ("m", "mod") for number in range(1, 7)}
NEAREST_LEADS |= {f"{kind}{number}": f"V{number}" for kind in ("mcl", "cm") for number in range(1, 7)}
NEAREST_LEADS |= {"cs5": "V5", "cc5": "V5", "cb5": "V5"}

#: Names of electrodes of an EEG, which has a C3 and a C4 as well (10-20 system).
_EEG = frozenset(("cz", "fz", "pz", "o1", "o2", "f3", "f4", "a1", "a2", "m1", "m2"))


class NoLeadError(InputError):
    """A recording without any of the twelve leads."""


@dataclass(frozen=True)
class LeadChoice:
    """The stored columns that are the twelve leads.

    Attributes
    ----------
    columns : dict of int to int
        Indices of `LEADS` to indices of the names.
    inverted : frozenset of int
        Indices of `LEADS` that are stored with the opposite sign.
    notes : tuple of str
        What a reader has to know: leads given twice, taken for their nearest, or left out.
    """

    columns: dict[int, int]
    inverted: frozenset[int] = frozenset()
    notes: tuple[str, ...] = ()


@lru_cache(1024)
def canonical_lead(name: str) -> str:
    """Return the name as `LEADS` spells it, with `INVERTED` before it where the sign is opposite.

    Other names stay as they are.

    Examples
    --------
    >>> [canonical_lead(name) for name in ("DII", "Lead aVF", "MDC_ECG_LEAD_V1", "EKG III", "aVR-", "MLII")]
    ['II', 'aVF', 'V1', 'III', '-aVR', 'MLII']
    """
    letters = _letters(name)
    lead = _SPELLINGS.get(letters) or _SPELLINGS.get(_AFTER.sub("", _without_prefix(letters)))
    if lead is None:
        return name.strip()
    return INVERTED + lead if _OPPOSITE.search(name.strip()) else lead


def choose_leads(names: Sequence[str], source: str, wanted: Collection[str] = LEADS) -> LeadChoice:
    """Return which stored leads are the twelve. Of a lead that is stored twice, the first is taken.

    Names are read in every dialect of `canonical_lead`. C1 to C6, the IEC's names, are V1 to V6 beside a limb
    lead, unless the names are an EEG's. Inverted leads and those of `NEAREST_LEADS` count where the lead itself
    is absent. The one lead named ECG of a record that has none of the twelve is taken as lead I: hand-held
    devices, such as those of Challenge 2017, record between the arms.

    Parameters
    ----------
    names : sequence of str
        Of all leads that are stored, as written.
    source : str
        What to call the record in errors.
    wanted : collection of str
        Leads that are not among these are as if they were absent.

    Raises
    ------
    NoLeadError
        If there is none.

    Examples
    --------
    >>> choose_leads(["MLII", "DI", "aVR-", "RESP"], "record").columns
    {0: 1, 1: 0, 3: 2}
    """
    known = _resolved(names)
    counts = Counter(known)
    notes = [f"lead {lead} is given twice: the first counts" for lead in LEADS if counts[lead] > 1]
    chosen = {lead: known.index(lead) for lead in LEADS if lead in counts}
    inverted = [lead for lead in LEADS if lead not in chosen and INVERTED + lead in counts]
    for lead in inverted:
        chosen[lead] = known.index(INVERTED + lead)
        notes.append(f"lead {lead} is stored inverted: its sign is changed")
    for index, name in enumerate(names):
        nearest = NEAREST_LEADS.get(_letters(name))
        if nearest is not None and nearest not in chosen:
            chosen[nearest] = index
            notes.append(f"lead {name.strip()} is taken as lead {nearest}, which it is nearest to")
    single = [index for index, name in enumerate(names) if _letters(name) in ("ecg", "ekg")]
    if not chosen and len(single) == 1:
        chosen["I"] = single[0]
        notes.append(f"the lead named {names[single[0]].strip()} is taken as lead I")
    columns = {LEADS.index(lead): chosen[lead] for lead in LEADS if lead in chosen and lead in wanted}
    if not columns:
        raise NoLeadError(f"{source}: has none of the twelve leads; its leads are {', '.join(names)[:80]}")
    others = [
        name.strip()
        for index, name in enumerate(names)
        if index not in chosen.values() and known[index] not in LEADS
    ]
    if others:
        notes.append(f"left out, as none of the twelve leads: {', '.join(dict.fromkeys(others))[:80]}")
    return LeadChoice(columns, frozenset(map(LEADS.index, inverted)), tuple(notes))


def _resolved(names: Sequence[str]) -> list[str]:
    """Return the names as `canonical_lead` does, C1 to C6 as V1 to V6 where they are chest leads."""
    known = [canonical_lead(name) for name in names]
    letters = [_without_prefix(_letters(name)) for name in names]
    electrodes = {name for name in letters if re.fullmatch("c[1-6]", name)}
    if not set(known) & set(LEADS[:6]) or electrodes <= {"c3", "c4"} or _EEG.intersection(letters):
        return known
    return [f"V{name[1]}" if name in electrodes else lead for name, lead in zip(letters, known, strict=True)]


@lru_cache(1024)
def _letters(name: str) -> str:
    """Return a name in lower case without accents, spaces and punctuation; Roman numbers as letters."""
    parts = unicodedata.normalize("NFKD", name).casefold()
    return "".join(each for each in parts if each.isalnum() and not unicodedata.combining(each))


def _without_prefix(letters: str) -> str:
    match = _BEFORE.match(letters)
    return letters[match.end() :] if match else letters

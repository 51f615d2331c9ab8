"""The order of diagnoses on a page: what is reported first, sinus rhythm last, rivals beside each other."""

from cnn_gap.diagnoses.classes import duplicate_indices
from cnn_gap.explain.explanation import ExplainedClass

# Codes of SNOMED CT and SCP-ECG of diagnoses that say nothing is wrong, and of those of which a heart has one.
_NORMAL = frozenset({"426783006", "SR", "NORM"})
_RIVALS = (
    (
        "Rhythm",
        "164889003 164890007 426627000 10370003 427393009 426177001 426783006 427084000"
        " SR AFIB AFLT SBRAD STACH SARRH SVARR SVTAC PSVT PACE BIGU TRIGU",
    ),
    (
        "Conduction",
        "270492004 713427006 713426002 445118002 164909002 698252002 164947007 1AVB 2AVB 3AVB LPR WPW"
        " CLBBB ILBBB CRBBB IRBBB LAFB LPFB IVCD",
    ),
    ("Axis", "39732003 47665007"),
)
_GROUPS = {code: name for name, codes in _RIVALS for code in codes.split()}

REPORTED, OTHERS = "Reported", "Other findings"


def in_order(classes: tuple[ExplainedClass, ...]) -> list[tuple[str, ExplainedClass]]:
    """Return classes with the name of their group, in the order of a page.

    What is reported comes first, the most probable at the top and sinus rhythm and normal ECG at the end. The
    others follow in groups of what excludes each other, each with the most probable at its top. What repeats
    another is left out.
    """
    again = duplicate_indices((each.diagnosis, each.label) for each in classes)
    classes = tuple(each for index, each in enumerate(classes) if index not in again)
    reported = sorted((each for each in classes if each.label), key=_by_weight)
    others = sorted((each for each in classes if not each.label), key=_by_weight)
    names = [*(name for name, _ in _RIVALS), OTHERS]
    grouped = [(name, each) for name in names for each in others if _GROUPS.get(each.codes[0], OTHERS) == name]
    return [*((REPORTED, each) for each in reported), *grouped]


def _by_weight(explained: ExplainedClass) -> tuple[bool, float]:
    return not _NORMAL.isdisjoint(explained.codes), -explained.probability

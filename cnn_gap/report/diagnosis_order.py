"""The order of diagnoses on a page: reported ones first, then groups of diagnoses that exclude each other."""

from dataclasses import replace

from cnn_gap.diagnoses.classes import duplicate_indices, same_diagnoses
from cnn_gap.explain.explanation import ExplainedClass

# SNOMED CT and SCP-ECG codes of normal diagnoses, and of groups whose diagnoses exclude each other.
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

    Reported classes come first, the most probable at the top, sinus rhythm and normal ECG last. The others
    follow in groups of diagnoses that exclude each other, the most probable of each at its top. A finding of
    the same diagnosis as a class and with the same answer is left out.
    """
    repeated = duplicate_indices((each.diagnosis, each.label) for each in classes)
    once = sorted((each for index, each in enumerate(classes) if index not in repeated), key=_rank)
    reported = [each for each in once if each.label]
    others = [each for each in once if not each.label]
    names = [*(name for name, _ in _RIVALS), OTHERS]
    grouped = [(name, each) for name in names for each in others if _GROUPS.get(each.codes[0], OTHERS) == name]
    return [*((REPORTED, each) for each in reported), *grouped]


def join_twins(classes: tuple[ExplainedClass, ...]) -> tuple[ExplainedClass, ...]:
    """Return classes with each diagnosis once: a finding of the same diagnosis as a class is joined to it.

    The more probable of the two stands for both, under the class's name and with the codes of both.
    """
    joined = dict(enumerate(classes))
    same = same_diagnoses([each.diagnosis for each in classes])
    for index, (each, twin) in enumerate(zip(classes, same, strict=True)):
        if twin == index:
            continue
        del joined[index]
        first = joined[twin]
        likelier = max(first, each, key=lambda one: one.probability)
        joined[twin] = replace(likelier, diagnosis=first.diagnosis, codes=(*first.codes, *each.codes))
    return tuple(joined.values())


def _rank(explained: ExplainedClass) -> tuple[bool, float]:
    return not _NORMAL.isdisjoint(explained.codes), -explained.probability

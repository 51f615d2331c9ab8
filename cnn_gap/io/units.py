"""Units of amplitude, as formats, exports and people spell them."""

import re
import unicodedata

#: mV in each unit, by its prefix; mcV is Latin America's microvolt, mkV and мкВ Russia's, and both letters mu
#: are one here.
_PREFIXES = {"n": 1e-6, "nano": 1e-6, "u": 1e-3, "μ": 1e-3, "mc": 1e-3, "micro": 1e-3, "m": 1.0, "milli": 1.0}
_PREFIXES |= {"mk": 1e-3, "мк": 1e-3, "м": 1.0, "": 1e3}

_VOLTS = re.compile(r"(n|nano|u|μ|mc|mk|мк|micro|m|м|milli|)[\s_-]*[vв](?:olts?)?\.?")


def millivolts_of(unit: str) -> float | None:
    """Return the size of a unit in mV; None if it is not a known unit of voltage.

    Examples
    --------
    >>> [millivolts_of(unit) for unit in ("mV", "uVolt", "microvolts", "µV", "V", "adu", "mmHg")]
    [1.0, 0.001, 0.001, 0.001, 1000.0, None, None]
    """
    match = _VOLTS.fullmatch(unicodedata.normalize("NFKC", unit).strip().lower())
    return None if match is None else _PREFIXES[match[1]]

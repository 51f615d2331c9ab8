"""Names that tell records of one name apart: by the ends of their files' names, or by their folders."""

import os
import re
from collections.abc import Sequence


def distinct_names(name: str, sources: Sequence[str], root: str) -> list[str]:
    """Return a name for each of several records of one name, where their paths differ.

    Parameters
    ----------
    name : str
        Of all of them.
    sources : sequence of str
        Their paths or addresses.
    root : str
        The folder that was listed: names are made of the parts of the paths below it.

    Examples
    --------
    >>> distinct_names("A", ["data/A.dcm", "data/A.xml"], "data")
    ['A.dcm', 'A.xml']
    >>> distinct_names("A", ["data/A.hea", "data/ward/A.hea"], "data")
    ['A', 'ward__A']
    """
    start = os.path.join(os.path.normpath(root), "")  # noqa: PTH118 - it may be an address
    paths = [re.split(r"[/\\]", os.path.normpath(source).removeprefix(start)) for source in sources]
    for depth in range(max(map(len, paths))):
        folders = [parts[max(len(parts) - 1 - depth, 0) : -1] for parts in paths]
        for ends in ([name] * len(paths), [parts[-1] for parts in paths]):
            names = ["__".join((*place, end)) for place, end in zip(folders, ends, strict=True)]
            if len(set(names)) == len(names):
                return names
    return [name] * len(paths)

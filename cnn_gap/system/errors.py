"""`InputError`, the only exception that a user can cause, and the display of text from outside."""

import unicodedata


class InputError(Exception):
    """Input that cannot be used: a file, a folder, a configuration or an argument.

    The message is one line that names the file and says what to do. Commands print it and exit with 1;
    every other exception is a defect of this package.
    """

    def __init__(self, message: str):
        super().__init__(printable(message))


def printable(text: str) -> str:
    r"""Return a text on one line that cannot steer a terminal: control characters become escapes.

    Names of files, leads and records come from outside and may hold anything.

    Examples
    --------
    >>> printable("A1\n\x1b[2J")
    'A1\\n\\x1b[2J'
    """
    return "".join(each if _is_shown(each) else ascii(each)[1:-1] for each in text)


def _is_shown(character: str) -> bool:
    return unicodedata.category(character) not in ("Cc", "Zl", "Zp")

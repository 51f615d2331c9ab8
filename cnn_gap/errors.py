"""The one exception that a user can cause."""


class InputError(Exception):
    """Input that cannot be used: a file, a folder, a configuration or an argument.

    The message is one line that names the file and says what to do. Commands print it and exit with 1;
    every other exception is a defect of this package.
    """

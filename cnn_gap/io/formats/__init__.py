"""One module for each format of recordings: how to recognise, guard and read it.

A module has three functions, and `cnn_gap.io.registry` one line for it:

- ``recognise(start)`` tells from the first bytes of a file whether it is of the format,
- ``guard(path)`` raises an `InputError` if reading the file would take far more memory than the file's size,
- ``read(path)`` returns the `Record`. Of an error other than `InputError`, the user sees the type alone,
  since the texts of libraries may quote the patient's name.
"""

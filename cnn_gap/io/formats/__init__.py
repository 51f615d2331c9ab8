"""One module for each format of recordings: how to recognise, guard and read it.

A module has three functions, and `cnn_gap.io.registry` one line for it:

- ``recognise(start)`` tells from the first bytes of a file whether it is of the format,
- ``guard(path)`` raises an `InputError` if to read the file would take more than its size tells,
- ``read(path)`` returns the `Record`. What it raises beside `InputError` is told by its type alone, since the
  texts of libraries may quote the patient's name.
"""

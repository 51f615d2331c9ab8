"""Settings: dataclasses made from TOML and JSON, with every key, type and range checked."""

import dataclasses
import types
from collections.abc import Mapping
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from cnn_gap.system.errors import InputError

_Settings = TypeVar("_Settings")

#: The deepest nesting of tables and lists, and the limit of whole numbers.
DEEPEST_NESTING = 64
LARGEST_INTEGER = 1 << 63


def from_dict(kind: type[_Settings], content: object, where: str = "") -> _Settings:
    """Build the dataclass `kind` from a mapping as TOML and JSON give it.

    Parameters
    ----------
    kind : type
        A dataclass; its type hints say what each key may hold.
    content : object
        As a parser of TOML or JSON returns it.
    where : str
        For errors: the keys above this table, each followed by a dot.

    Raises
    ------
    InputError
        If a key is unknown, missing or of the wrong type; it names the key and what was received.

    Examples
    --------
    >>> from cnn_gap.explain.regions import Level
    >>> from_dict(Level, {"rule": "percentile", "value": 90})
    Level(rule='percentile', value=90.0)
    """
    if not isinstance(content, dict):
        raise InputError(f"{where.rstrip('.') or 'the content'} must be a table; received {content!r}")
    fields = {each.name: each for each in dataclasses.fields(kind)}  # type: ignore[arg-type]
    if unknown := sorted(set(content) - set(fields)):
        raise InputError(f"unknown key {where}{unknown[0]}; known here: {', '.join(fields)}")
    hints = get_type_hints(kind)
    values = {key: _checked(hints[key], value, f"{where}{key}") for key, value in content.items()}
    needed = {key for key, each in fields.items() if not _has_default(each)}
    if missing := sorted(needed - set(values)):
        raise InputError(f"missing key {where}{missing[0]}")
    return kind(**values)


def to_dict(settings: object) -> dict[str, Any]:
    """Return a dataclass as a dict for JSON or TOML; the inverse of `from_dict`."""
    held: dict[str, Any] = dataclasses.asdict(settings)  # type: ignore[call-overload]
    return held


def require(condition: bool, key: str, expected: str, received: object) -> None:
    """Raise an `InputError` with the key, the expected and the received value, unless `condition` holds."""
    if not condition:
        raise InputError(f"{key} must be {expected}; received {received}")


def require_ranges(section: str, settings: object, ranges: Mapping[str, tuple[float, float]]) -> None:
    """Require that each setting lies from its lowest to its highest value.

    Parameters
    ----------
    section : str
        Name of the table, for errors.
    settings : object
        Its attributes are checked.
    ranges : mapping of str to (float, float)
        The lowest and the highest value of each.

    Raises
    ------
    InputError
        If a setting is outside of its range.
    """
    for key, (low, high) in ranges.items():
        value = getattr(settings, key)
        require(low <= value <= high, f"{section}.{key}", f"from {low:g} to {high:g}", value)


def require_depth(content: object, what: str) -> None:
    """Require that tables and lists are nested at most `DEEPEST_NESTING` deep: their readers recurse.

    Raises
    ------
    InputError
        If they are nested deeper.
    """
    level, depth = [content], 0
    while level:
        require(depth <= DEEPEST_NESTING, what, f"nested at most {DEEPEST_NESTING} deep", "more")
        tables = [each for each in level if isinstance(each, dict | list)]
        within = [each.values() if isinstance(each, dict) else each for each in tables]
        level, depth = [value for values in within for value in values], depth + 1


def _has_default(field: dataclasses.Field[Any]) -> bool:
    return field.default is not dataclasses.MISSING or field.default_factory is not dataclasses.MISSING


def _checked(hint: Any, value: Any, where: str) -> Any:
    """Return a value as its type hint says; a whole number becomes a float where the hint is float."""
    if dataclasses.is_dataclass(hint):
        return from_dict(hint, value, f"{where}.")  # type: ignore[arg-type]
    if (get_origin(hint) or hint) is dict:
        require_depth(value, where)
    if isinstance(hint, types.UnionType):  # the only union in use is "or None"
        return None if value is None else _checked(get_args(hint)[0], value, where)
    if get_origin(hint) is tuple:
        if not isinstance(value, list | tuple):
            raise InputError(f"{where} must be a list; received {value!r}")
        return tuple(_checked(get_args(hint)[0], item, f"{where}[{index}]") for index, item in enumerate(value))
    if isinstance(value, int) and abs(value) > LARGEST_INTEGER:
        raise InputError(
            f"{where} must be a number that 64 bits can hold; received one of {len(str(value))} digits"
        )
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    # In Python a bool is an int; in a configuration it is not.
    kind = get_origin(hint) or hint
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise InputError(f"{where} must be of type {kind.__name__}; received {value!r}")
    return value

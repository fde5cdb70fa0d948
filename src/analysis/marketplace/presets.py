"""Presets: frozen dataclasses filled from TOML files inside the package.

Every number in those files carries its unit and its source, or the word ``assumption``.
"""

from __future__ import annotations

import dataclasses
import tomllib
import typing
from collections.abc import Mapping
from importlib import resources
from typing import Any

_T = typing.TypeVar("_T")


def number(low: float, high: float, **more: Any) -> Any:
    """Return a field whose value (or every element of it) must lie in [``low``, ``high``]."""
    return dataclasses.field(metadata={"low": low, "high": high}, **more)


def fraction(**more: Any) -> Any:
    """Return a field that is a share in [0, 1], or several."""
    return number(0, 1, **more)


def one_of(*words: str) -> Any:
    """Return a field that must be one of ``words``."""
    return dataclasses.field(metadata={"words": words})


class Checked:
    """Base of the presets' dataclasses: a value out of range is an error when it is made."""

    def __post_init__(self) -> None:
        """Check every field against its metadata."""
        for field in dataclasses.fields(self):  # type: ignore[arg-type]
            _check_field(f"{type(self).__name__}.{field.name}", field, getattr(self, field.name))


def _check_field(where: str, field: dataclasses.Field, value: Any) -> None:
    words = field.metadata.get("words")
    if words is not None and value not in words:
        raise ValueError(f"{where} must be one of {', '.join(words)}, got {value!r}")
    if "low" in field.metadata:
        low, high = field.metadata["low"], field.metadata["high"]
        for element in _elements(value):
            plain = isinstance(element, int | float) and not isinstance(element, bool)
            if not plain or not low <= element <= high:
                raise ValueError(f"{where} must be in [{low}, {high}], got {element!r}")


def _elements(value: Any) -> list[Any]:
    if isinstance(value, Mapping):
        return [e for v in value.values() for e in _elements(v)]
    if isinstance(value, list | tuple):
        return [e for v in value for e in _elements(v)]
    return [value]


def require_sum(where: str, shares: typing.Iterable[float]) -> None:
    """Raise unless ``shares`` add up to 1."""
    total = sum(shares)
    if abs(total - 1) > 1e-6:
        raise ValueError(f"{where} must add up to 1, got {total:g}")


def require_length(where: str, values: typing.Sized, n: int) -> None:
    """Raise unless ``values`` has ``n`` elements."""
    if len(values) != n:
        raise ValueError(f"{where} must have {n} values, got {len(values)}")


def require_words(where: str, given: typing.Iterable[str], known: typing.Iterable[str]) -> None:
    """Raise unless every word of ``given`` is in ``known``."""
    unknown = sorted(set(given) - set(known))
    if unknown:
        raise ValueError(f"{where} has unknown words: {', '.join(unknown)}")


def load_preset(kind: type[_T], prefix: str, name: str) -> _T:
    """Return the preset ``name`` of ``kind``, from ``presets/<prefix>_<name>.toml``.

    Raises
    ------
    ValueError
        There is no such preset, a key in it is unknown or missing, or a value is out of range.
    """
    folder = resources.files(__package__) / "presets"
    known = sorted(
        file.name.removeprefix(f"{prefix}_").removesuffix(".toml")
        for file in folder.iterdir()
        if file.name.startswith(f"{prefix}_")
    )
    if name not in known:
        raise ValueError(f"{prefix} must be one of {', '.join(known)}, got {name!r}")
    text = (folder / f"{prefix}_{name}.toml").read_text(encoding="utf-8")
    return from_dict(kind, tomllib.loads(text))


def from_dict(kind: type[_T], content: Mapping[str, Any], where: str = "") -> _T:
    """Build the dataclass ``kind``, and those nested in it, from plain values.

    Raises
    ------
    ValueError
        A key is unknown or missing; the message names it with its path.
    """
    where = where or kind.__name__
    fields = {field.name: field for field in dataclasses.fields(kind)}  # type: ignore[arg-type]
    unknown = sorted(set(content) - set(fields))
    if unknown:
        raise ValueError(f"{where} has no {', '.join(unknown)}; it has: {', '.join(fields)}")
    missing = sorted(set(fields) - set(content))
    if missing:
        raise ValueError(f"{where} lacks {', '.join(missing)}")
    hints = typing.get_type_hints(kind)
    return kind(**{key: _value(hints[key], content[key], f"{where}.{key}") for key in fields})


def _value(hint: Any, value: Any, where: str) -> Any:
    if dataclasses.is_dataclass(hint):
        if not isinstance(value, Mapping):
            raise ValueError(f"{where} must be a table of values, got {value!r}")
        return from_dict(hint, value, where)
    if typing.get_origin(hint) is tuple:
        inner = typing.get_args(hint)[0]
        return tuple(_value(inner, v, f"{where}[{i}]") for i, v in enumerate(value))
    if typing.get_origin(hint) is dict:
        inner = typing.get_args(hint)[1]
        return {key: _value(inner, v, f"{where}.{key}") for key, v in value.items()}
    wanted = (int, float) if hint is float else hint
    if not isinstance(value, wanted) or (hint is not bool and isinstance(value, bool)):
        raise ValueError(f"{where} must be of type {hint.__name__}, got {value!r}")
    return float(value) if hint is float else value

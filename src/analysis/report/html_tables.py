"""Tables of frames as HTML: every cell escaped, numbers rounded and kept behind what is shown.

Tables of pandas reach a page only through this; see :mod:`analysis.report.html`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from analysis.report.html import Html, escape

if TYPE_CHECKING:
    import pandas as pd

LONG_TEXT = 160  # characters; longer text in a table is folded, and kept whole
LONG_WORD = 30
SHORT_NAME = 10
KEPT_FIGURES = 10  # of a number that is shown rounded
MAX_TABLE_ROWS = 200
MISSING = "–"
MOST_DECIMALS = 6
# Numbers of one kind: as many decimals for all of them in a row, and enough to tell them apart
INTERVAL_COLUMNS = ("estimate", "ci_low", "ci_high", "naive", "truth")

Format = str | Callable[[Any], str]


def table_html(
    frame: pd.DataFrame,
    *,
    caption: str | None = None,
    formats: Mapping[str, Format] | None = None,
    max_rows: int = MAX_TABLE_ROWS,
) -> Html:
    """Table of a frame: escaped, numbers aligned, ten figures kept behind a rounded one.

    Parameters
    ----------
    frame
        Any frame. A plain default index is left out; any other becomes the first columns.
    caption
        Title above the table.
    formats
        Column name -> format specification (``".1%"``) or function of one value. Columns that are
        not named get as many decimals as tell their values apart.
    max_rows
        Rows shown; a line under the table says how many there are. Such a part of a table
        cannot be sorted on the page, since that would sort the part only.

    Raises
    ------
    ValueError
        ``max_rows`` is below 1.
    """
    if max_rows < 1:
        raise ValueError(f"max_rows must be 1 or more, got {max_rows}")
    columns = _columns(frame, max_rows, formats or {})
    whole = len(frame) <= max_rows
    head = "".join(column.head for column in columns)
    rows = zip(*(column.cells for column in columns), strict=True)
    body = "\n".join(f"<tr>{''.join(cells)}</tr>" for cells in rows)
    title = f"<caption>{escape(caption)}</caption>" if caption else ""
    sortable = ' class="sortable"' if whole else ""
    table = (
        f"<table{sortable}>{title}<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody></table>"
    )
    rest = "" if whole else f"First {max_rows:,} of {len(frame):,} rows."
    below = f'<p class="rest">{rest}</p>' if rest else ""
    label = escape(caption or "Table")
    box = f'<div class="scroll" role="group" tabindex="0" aria-label="{label}">'
    first = frame.head(max_rows)

    def words() -> str:
        shown = first.to_string(index=not _is_plain_index(frame))
        return "\n".join(line for line in (caption, shown, rest) if line)

    return Html(f"{box}{table}</div>{below}", words)


@dataclass(frozen=True)
class _Column:
    """One column as markup: its head, and one cell per row."""

    head: str
    cells: list[str]


def _columns(frame: pd.DataFrame, n: int, formats: Mapping[str, Format]) -> list[_Column]:
    shown = frame.head(n)
    decimals = _shared_decimals(shown)
    columns = []
    if not _is_plain_index(frame):
        for level in range(shown.index.nlevels):
            values = shown.index.get_level_values(level).to_series()
            columns.append(_column(values, shown.index.names[level] or "", formats, {}, "th"))
    for position in range(shown.shape[1]):
        columns.append(
            _column(shown.iloc[:, position], shown.columns[position], formats, decimals, "td")
        )
    return columns


def _is_plain_index(frame: pd.DataFrame) -> bool:
    index = frame.index
    return index.nlevels == 1 and index.name is None and type(index).__name__ == "RangeIndex"


def _column(
    values: pd.Series,
    name: object,
    formats: Mapping[str, Format],
    decimals: Mapping[str, Sequence[int]],
    tag: str,
) -> _Column:
    words = " / ".join(map(str, name)) if isinstance(name, tuple) else str(name)
    kind = _kind(values)
    chosen = _formats(values, words, formats, decimals, is_number=kind == "number")
    style = f' class="{kind}"' if kind else ""
    scope = ' scope="row"' if tag == "th" else ""
    cells = [
        f"<{tag}{scope}{style}{_cell(value, one)}</{tag}>"
        for value, one in zip(values, chosen, strict=True)
    ]
    text = f"<bdi>{_breakable(words)}</bdi>" if words else '<span class="unseen">row</span>'
    return _Column(f'<th scope="col"{style}>{text}</th>', cells)


def _kind(values: pd.Series) -> str:
    """Class of a column: numbers, moments, text of some length, or nothing in particular."""
    import pandas as pd

    types = pd.api.types
    if types.is_datetime64_any_dtype(values):
        return "moment"
    if types.is_bool_dtype(values) or types.is_numeric_dtype(values):
        return "" if types.is_bool_dtype(values) else "number"
    return "words" if max((len(str(value)) for value in values), default=0) > LONG_WORD else ""


def _breakable(name: str) -> str:
    """Return a name that may be broken after its underscores, if it is not short anyway."""
    return escape(name) if len(name) <= SHORT_NAME else escape(name).replace("_", "_<wbr>")


def _formats(
    values: pd.Series,
    name: str,
    formats: Mapping[str, Format],
    decimals: Mapping[str, Sequence[int]],
    *,
    is_number: bool,
) -> list[Callable[[Any], str] | None]:
    """Return what turns each value of the column into text; None where it is text already."""
    if is_number and name in decimals and name not in formats:
        return [partial(_rounded, decimals=places) for places in decimals[name]]
    return [_format(values, name, formats, is_number=is_number)] * len(values)


def _format(
    values: pd.Series, name: str, formats: Mapping[str, Format], *, is_number: bool
) -> Callable[[Any], str] | None:
    """Return what turns any value of the column into text; None where it is text already."""
    import pandas as pd

    if name in formats:
        given = formats[name]
        return given if callable(given) else lambda value: format(value, given)
    if is_number and name.endswith("_id"):
        return str
    if is_number:
        return partial(_rounded, decimals=_decimals(values.dropna()))
    if pd.api.types.is_datetime64_any_dtype(values):
        known = values.dropna()
        is_whole_day = bool((known == known.dt.normalize()).all())
        return lambda value: f"{value:%Y-%m-%d}" if is_whole_day else f"{value:%Y-%m-%d %H:%M}"
    return None


def _cell(value: Any, chosen: Callable[[Any], str] | None) -> str:
    """Rest of a cell's opening tag, and its content."""
    import pandas as pd

    if pd.api.types.is_scalar(value) and pd.isna(value):
        return f' data-value=""><span title="missing">{MISSING}</span>'
    if type(value).__name__ in ("bool", "bool_"):
        return f">{'yes' if value else 'no'}"
    if chosen is None:
        return f">{_text(str(value))}"
    text = chosen(value)
    kept = _kept(value) if isinstance(value, int | float) else text
    attribute = "" if kept == text else f' data-value="{kept}"'
    return f"{attribute}>{escape(text)}"


def _kept(value: float) -> str:
    """Return a number in more figures than anybody reads, but without the last.

    Sums of the same rows may differ there from run to run, for an engine of several threads adds
    them up in any order.
    """
    whole = isinstance(value, int) or value.is_integer()
    return str(value) if whole else f"{value:.{KEPT_FIGURES}g}"


def _text(text: str) -> str:
    if len(text) <= LONG_TEXT:
        return _isolated(text)
    begin = text[:LONG_TEXT].rstrip() + "…"
    return f'<details class="long"><summary>{_isolated(begin)}</summary>{_isolated(text)}</details>'


def _isolated(text: str) -> str:
    """Text that keeps its direction to itself, and breaks where it offers no place to."""
    longest = max(map(len, text.split()), default=0)
    unbroken = ' class="unbroken"' if longest > LONG_WORD else ""
    return f"<bdi{unbroken}>{escape(text)}</bdi>"


def _shared_decimals(frame: pd.DataFrame) -> dict[str, list[int]]:
    """One number of decimals a row for an estimate and its interval."""
    present = [name for name in INTERVAL_COLUMNS if name in frame.columns]
    if len(present) < 2 or not frame.columns.is_unique:
        return {}
    numbers = frame[present].select_dtypes("number")
    rows = numbers.to_numpy(float)
    least = _decimals(rows.ravel())
    return dict.fromkeys(numbers.columns, [_telling_apart(row, least) for row in rows])


def _telling_apart(row: Iterable[float], least: int) -> int:
    """Return so many decimals that as many numbers of a row as can be read differently.

    Numbers below 1 have two at least: whole percent of a share.
    """
    known = [value for value in map(float, row) if math.isfinite(value)]
    is_small = 0 < max(map(abs, known), default=0) < 1
    choices = range(max(least, 2) if is_small else least, MOST_DECIMALS + 1)
    return max(choices, key=lambda places: len({_rounded(value, places) for value in known}))


def _decimals(values: Iterable[Any]) -> int:
    """Three figures of the largest value, at least one decimal; none if all are whole."""
    finite = [abs(value) for value in map(float, values) if math.isfinite(value)]
    if all(value.is_integer() for value in finite):
        return 0
    largest = max(finite)
    figures = 2 - math.floor(math.log10(largest))
    return 3 if 0.1 <= largest <= 1 else min(MOST_DECIMALS, max(1, figures))


def _rounded(value: float, decimals: int) -> str:
    if 0 < abs(value) < 0.5 * 10.0**-decimals:
        return f"{value:.1g}"
    return f"{value:,.{decimals}f}"

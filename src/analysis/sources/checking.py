"""Does the data keep the contract: every rule, with the number of rows that break it."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import ibis
import pandas as pd

from analysis.contract import (
    JOINED_RULES,
    REFERENCES,
    ROW_RULES,
    TABLES,
    ContractError,
    Rule,
    read_manifest,
)
from analysis.sources.bits import repeated
from analysis.sources.dense import n_unknown
from analysis.sources.engine import collect, is_duckdb, one_number
from analysis.sources.ranges import at_once, edges_of, in_ranges
from analysis.sources.tables import Tables

if TYPE_CHECKING:
    import ibis.expr.types as ir

EXAMPLES = 3  # words that are shown of those that break a rule
PROMISES = ("ship_by_at",)  # moments that may lie after as_of


_Joins: TypeAlias = "list[ir.Table]"  # that together have each row of a child once


class _Count(NamedTuple):
    """One rule to count: where it belongs, what it says, and a one-cell expression."""

    table: str
    sentence: str
    frame: Any  # Ibis table on which ``broken`` is aggregated
    broken: Any  # column of ``frame``: whether a row breaks the rule, or how many it stands for
    word: str = ""  # column of ``frame`` whose words are shown where they break the rule

    @property
    def n_broken(self) -> Any:
        """Number of rows that break the rule; ``broken`` is false or missing on the others."""
        if self.broken.type().is_boolean():  # in DuckDB twice as fast as to add up ones
            return self.broken.ifelse(1, ibis.null("int8")).count()
        return self.broken.cast("int64").sum().fill_null(0)


def check(tables: Tables) -> pd.DataFrame:
    """Count the rows that break each rule of the contract, once per dataset.

    Up to 20,000,000 rows are checked in one query. Of more, parents are joined in ranges of their
    ids, one after the other, so that memory does not grow with the data, and ids that lie close
    together are marked instead of counted.

    Returns
    -------
    DataFrame
        One row per rule that could be checked: ``table, rule, n_broken, n_rows, examples``; the
        last has up to three words that are none of the contract's, and is empty else.
    """
    return tables.once("check", functools.partial(_counted, tables)).copy()


def _counted(tables: Tables) -> pd.DataFrame:
    counts = [c for name in tables.frames for c in _rules_of(tables, name)]
    cells = [
        frame.aggregate(**{f"c{i}": count.n_broken for i, count in group})
        for frame, group in _by_frame(counts)
    ]
    n_rows = {name: tables.n_rows(name) for name in tables.frames}
    found = _collected(cells, one_by_one=_is_large(tables))
    rules = pd.DataFrame(
        {
            "table": [c.table for c in counts],
            "rule": [c.sentence for c in counts],
            "n_broken": [found[f"c{i}"] for i in range(len(counts))],
        }
    )
    rules = rules.groupby(["table", "rule"], sort=False, as_index=False).sum()  # over all ranges
    examples = {
        (count.table, count.sentence): _words_found(count)
        for i, count in enumerate(counts)
        if count.word and found[f"c{i}"]
    }
    shown = [examples.get((row.table, row.rule), "") for row in rules.itertuples()]
    return rules.assign(n_rows=[n_rows[name] for name in rules["table"]], examples=shown)


def _words_found(count: _Count) -> str:
    """Return up to :data:`EXAMPLES` words that break a rule, the most frequent first."""
    words = count.frame.group_by(word=count.frame[count.word]).aggregate(n_rows=count.n_broken)
    words = words.filter(words.n_rows > 0)
    first = words.order_by(words.n_rows.desc(), words.word).limit(EXAMPLES)
    return ", ".join(map(repr, collect(first).word.tolist()))


def _is_large(tables: Tables) -> bool:
    """Whether there are more rows than are checked in one query."""
    return not at_once(sum(tables.n_rows(name) for name in tables.frames))


def _collected(cells: list[ir.Table], *, one_by_one: bool) -> dict[str, int]:
    """Values of tables of one row each."""
    if not one_by_one:
        cells = [functools.reduce(lambda left, right: left.cross_join(right), cells)]
    return {name: int(n) for cell in cells for name, n in collect(cell).iloc[0].items()}


def require_valid(tables: Tables) -> None:
    """Raise one error with everything wrong in the data.

    Raises
    ------
    ContractError
        At least one rule is broken; ``failures`` has the counts.
    """
    found = check(tables)
    broken = found[found.n_broken > 0]
    if len(broken):
        failures = {f"{r.table}: {r.rule}": int(r.n_broken) for r in broken.itertuples()}
        shown = {
            f"{r.table}: {r.rule}{f' (found {r.examples})' if r.examples else ''}": r.n_broken
            for r in broken.itertuples()
        }
        raise ContractError(str(ContractError.from_failures(shown)), failures)


def check_files(folder: str | Path) -> pd.DataFrame:
    """Compare every part of a dataset folder with the sha256 in its manifest.

    Returns
    -------
    DataFrame
        One row per part that differs: ``path, problem``.
    """
    folder = Path(folder)
    problems = []
    for part in read_manifest(folder).parts:
        path = folder / part.path
        if not path.exists():
            problems.append((part.path, "missing"))
        elif hashlib.sha256(path.read_bytes()).hexdigest() != part.sha256:
            problems.append((part.path, "not the file that was written"))
    return pd.DataFrame(problems, columns=["path", "problem"])


def _by_frame(counts: list[_Count]) -> list[tuple[Any, list[tuple[int, _Count]]]]:
    groups: dict[int, tuple[Any, list[tuple[int, _Count]]]] = {}
    for i, count in enumerate(counts):
        groups.setdefault(id(count.frame), (count.frame, []))[1].append((i, count))
    return list(groups.values())


def _rules_of(tables: Tables, name: str) -> list[_Count]:
    frame, spec, joins = tables.frames[name], TABLES[name], _joins(tables, name)
    return [
        *_null_rules(name, frame),
        *_code_rules(name, frame),
        *_time_rules(tables, name, frame),
        *(_count(name, rule, frame) for rule in ROW_RULES[name] if _has(frame, rule.columns)),
        _unique_rule(tables, name, frame, spec.key),
        *_reference_rules(tables, name, joins),
        *_joined_rules(name, joins),
    ]


def _has(frame: ir.Table, columns: tuple[str, ...]) -> bool:
    return set(columns) <= set(frame.columns)


def _count(name: str, rule: Rule, frame: ir.Table) -> _Count:
    return _Count(name, rule.sentence, frame, rule.broken(frame))


def _null_rules(name: str, frame: ir.Table) -> list[_Count]:
    required = [c.name for c in TABLES[name].columns if not c.optional]
    return [_Count(name, f"{c} is never null", frame, frame[c].isnull()) for c in required]


def _code_rules(name: str, frame: ir.Table) -> list[_Count]:
    rules = []
    for column in TABLES[name].columns:
        if column.codes and column.name in frame.columns:
            sentence = f"{column.name} is one of the words {', '.join(column.codes)}"
            rules.append(_Count(name, sentence, *_other_words(frame, column.name, column.codes)))
    return rules


def _other_words(frame: ir.Table, column: str, words: Sequence[str]) -> tuple[Any, Any, str]:
    """Rows whose word is none of ``words``; DuckDB groups rows by word sooner than it compares."""
    if not is_duckdb(frame[column]):
        value = frame[column]
        return frame, value.notin(words), column
    rows = frame.select(word=frame[column])
    found = rows.group_by("word").aggregate(n=rows.count())
    return found, found.word.notin(words).ifelse(found.n, 0), "word"


def _time_rules(tables: Tables, name: str, frame: ir.Table) -> list[_Count]:
    rules = []
    for column in TABLES[name].columns:
        known = column.kind == "time" and column.name in frame.columns
        if known and column.name not in PROMISES:
            late = frame[column.name] > ibis.literal(tables.as_of)
            sentence = f"{column.name} is not after as_of"
            rules.append(_Count(name, sentence, frame, late))
    return rules


def _unique_rule(tables: Tables, name: str, frame: ir.Table, key: tuple[str, ...]) -> _Count:
    known = frame.filter(*(frame[column].notnull() for column in key))
    codes = TABLES[name].column(key[-1]).codes if len(key) > 1 else ()
    repeats = repeated(known, key, codes, marked=_is_large(tables))
    return _Count(
        name,
        f"{' and '.join(key)} together are unique" if len(key) > 1 else f"{key[0]} is unique",
        repeats,
        repeats.extra,
    )


def _reference_rules(tables: Tables, name: str, joins: Mapping[str, _Joins]) -> list[_Count]:
    rules = []
    for table, column, target, key in REFERENCES:
        if (
            table != name
            or target not in tables.frames
            or column not in tables.frames[name].columns
        ):
            continue
        sentence = f"{column} is found in {target}"
        if target in joins and column == key:
            for joined in joins[target]:
                broken = joined[column].notnull() & joined.parent_key.isnull()
                rules.append(_Count(name, sentence, joined, broken))
        else:
            ours, theirs = tables.frames[name], tables.frames[target]
            asked = ours.filter(ours[column].notnull()).select(number=ours[column])
            known = theirs.filter(theirs[key].notnull()).select(number=theirs[key])
            rules.append(_Count(name, sentence, *_unknown(tables, asked, known)))
    return rules


def _unknown(tables: Tables, asked: ir.Table, known: ir.Table) -> tuple[Any, Any]:
    """Rows whose number is not among those that are known."""
    n_broken = n_unknown(asked, known) if _is_large(tables) else None
    if n_broken is not None:
        found = one_number(tables.backend, n_broken)
        return found, found.n
    known = known.select(found=known.number)
    joined = asked.join(known, asked.number == known.found, how="left")
    return joined, joined.found.isnull()


def _joined_rules(name: str, joins: Mapping[str, _Joins]) -> list[_Count]:
    rules = []
    for parent, joined in ((parent, one) for parent, ones in joins.items() for one in ones):
        for rule in JOINED_RULES[name, parent]:
            if _has(joined, rule.columns):
                sentence = rule.sentence.replace("parent_", f"the {parent[:-1]}'s ")
                rules.append(_Count(name, sentence, joined, rule.broken(joined)))
    return rules


def _joins(tables: Tables, name: str) -> dict[str, _Joins]:
    """Rows of ``name`` with those of each parent that rules compare them with."""
    joins = {}
    for child, parent in JOINED_RULES:
        if child == name and parent in tables.frames:
            (key,) = TABLES[parent].key
            if key in tables.frames[child].columns:
                joins[parent] = _with_parent(tables, child, parent, key)
    return joins


def _with_parent(tables: Tables, child: str, parent: str, key: str) -> _Joins:
    """Each row of ``child`` with its parent's, once; of many rows, in ranges of the key."""
    ours, theirs = _known(tables, child), _known(tables, parent)
    renamed = theirs.select(
        parent_key=theirs[key], **{f"parent_{c}": theirs[c] for c in theirs.columns if c != key}
    )
    edges = edges_of(theirs[key], tables.n_rows(child) + tables.n_rows(parent))
    pairs = zip(in_ranges(ours, key, edges), in_ranges(renamed, "parent_key", edges), strict=True)
    return [a.join(b, a[key] == b.parent_key, how="left") for a, b in pairs]


def _known(tables: Tables, name: str) -> ir.Table:
    """Columns of the contract only: the reader's own may be called as those of a parent are."""
    frame = tables.frames[name]
    return frame.select(*(column for column in TABLES[name].names if column in frame.columns))

"""RESULTS.md and results.csv: what was measured, for readers and for the next run.

A section of RESULTS.md is replaced as a whole when its part is run again; the ratios in it are
also rows of results.csv. Ratios that are more than 20 % worse than the committed ones, at the same
size, are named at the top of the page.
"""

from __future__ import annotations

import csv
import io
import os
import platform
import subprocess
from collections.abc import Iterable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).resolve().parent
PAGE = HERE / "RESULTS.md"
USUAL = 10_000_000  # orders; sections of another size have titles of their own
WORSE = 1.2  # times as bad as what is committed: worth a line


class Row(NamedTuple):
    """One line of a section: a figure of ours, and of a peer where there is one."""

    figure: str
    ours: str
    peer: str = ""
    theirs: str = ""
    ratio: float | None = None
    aim: str = ""
    better: str = "low"  # "low" or "high": where a better ratio lies
    remark: str = ""


class Section(NamedTuple):
    """One section of the page."""

    title: str
    size: int  # orders or rows that it was measured on; 0 where that is not one number
    lines: Sequence[str]
    rows: Sequence[Row] = ()


def titled(words: str, orders: int) -> str:
    """Return the title of a section, with its size where that is not the usual one."""
    return words if orders == USUAL else f"{words}, {orders:,} orders"


class Ratio(NamedTuple):
    """One row of results.csv."""

    section: str
    figure: str
    peer: str  # its name without the version
    size: int
    ratio: float
    better: str

    @property
    def key(self) -> tuple[str, str, str, int]:
        """What must be alike for two ratios to compare."""
        return self[:4]


def table(rows: Sequence[Row]) -> list[str]:
    """Return the rows as a table; columns that no row has are left out."""
    names = ("figure", "ours", "peer", "its", "ratio", "aim", "remark")
    texts = [_texts(row) for row in rows]
    kept = [i for i in range(len(names)) if i < 2 or any(text[i] for text in texts)]
    lines = [names, ["---:" if names[i] in RIGHT else "---" for i in range(len(names))], *texts]
    return ["| " + " | ".join(line[i] for i in kept) + " |" for line in lines]


RIGHT = ("ours", "its", "ratio")


def _texts(row: Row) -> list[str]:
    ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
    return [row.figure, row.ours, row.peer, row.theirs, ratio, row.aim, row.remark]


def ratios_of(sections: Iterable[Section]) -> list[Ratio]:
    """Return the ratios of sections, each once."""
    found = {}
    for section in sections:
        for row in section.rows:
            if row.ratio is not None:
                peer = " ".join(w for w in row.peer.split() if not w[0].isdigit())
                one = Ratio(section.title, row.figure, peer, section.size, row.ratio, row.better)
                found[one.key] = one
    return list(found.values())


def regressions(now: Iterable[Ratio], before: Iterable[Ratio], worse: float = WORSE) -> list[str]:
    """Return a line for each ratio that is more than ``worse`` times as bad as it was.

    Ratios compare that have the same section, figure, peer and size.
    """
    known = {one.key: one.ratio for one in before}
    lines = []
    for one in now:
        was = known.get(one.key)
        if was is None or not (was > 0 and one.ratio > 0):
            continue
        times = one.ratio / was if one.better == "low" else was / one.ratio
        if times > worse:
            beside = f" beside {one.peer}" if one.peer else ""
            at = f", at {one.size:,}" if one.size else ""
            name = f"{one.section}: {one.figure}{beside}{at}"
            lines.append(f"{name}: {one.ratio:.2f}, was {was:.2f}")
    return lines


def read_ratios(text: str) -> list[Ratio]:
    """Read results.csv."""
    rows = csv.DictReader(io.StringIO(text))
    return [Ratio(**{**r, "size": int(r["size"]), "ratio": float(r["ratio"])}) for r in rows]


def ratios_text(ratios: Iterable[Ratio]) -> str:
    """Return results.csv."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(Ratio._fields)
    writer.writerows(one._replace(ratio=f"{one.ratio:.4g}") for one in ratios)
    return out.getvalue()


def committed(path: Path) -> list[Ratio]:
    """Return the ratios that are committed; those of the file where nothing is."""
    show = ["git", "-C", str(path.parent), "show", f"HEAD:./{path.name}"]
    try:
        done = subprocess.run(show, capture_output=True, text=True, check=True)
        return read_ratios(done.stdout)
    except (OSError, subprocess.CalledProcessError):
        return read_ratios(path.read_text(encoding="utf-8")) if path.exists() else []


def write(sections: Sequence[Section], page: Path = PAGE, *, keep: bool = False) -> list[str]:
    """Write the page and, beside it, results.csv; return the lines on what got worse.

    Parameters
    ----------
    sections
        What was measured.
    page
        The page; its CSV has the same name in lower case.
    keep
        Keep the sections that were not measured now.
    """
    beside = page.with_name(f"{page.stem.lower()}.csv")
    before = committed(beside)
    known = read_ratios(beside.read_text(encoding="utf-8")) if keep and beside.exists() else []
    titles = {section.title for section in sections}
    ratios = [one for one in known if one.section not in titles] + ratios_of(sections)
    worse = regressions(ratios, before)
    text = page.read_text(encoding="utf-8") if keep and page.exists() else ""
    page.write_text(page_of(text, sections, worse), encoding="utf-8")
    beside.write_text(ratios_text(ratios), encoding="utf-8")
    return worse


def page_of(known: str, sections: Sequence[Section], worse: Sequence[str] = ()) -> str:
    """Return RESULTS.md with new sections in their place, or at the end, of the known ones."""
    head = [
        "# Benchmarks",
        "",
        "Written by `make bench`; medians on a shared, noisy machine: read the ratios. "
        f"{machine()}",
        "",
    ]
    if worse:
        head += ["More than 20 % worse than what was committed before:", ""]
        head += [*(f"- {line}" for line in worse), ""]
    texts = {}
    for section in f"\n{known}".split("\n## ")[1:]:
        texts[section.splitlines()[0]] = section.strip()
    for section in sections:
        texts[section.title] = "\n".join([section.title, "", *section.lines]).strip()
    return "\n".join([*head, *(f"## {text}\n" for text in texts.values())])


def machine() -> str:
    """One line on the machine and the versions."""
    names = ("numpy", "pandas", "pyarrow", "duckdb", "ibis-framework")
    versions = ", ".join(f"{name} {version(name)}" for name in names)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    where = f"{os.cpu_count()} cores, {memory:.0f} GB, {platform.machine()}"
    return f"{where}, Python {platform.python_version()}, {versions}."

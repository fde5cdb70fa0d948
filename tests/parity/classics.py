"""Textbook data and R's values for them, read once: what comparisons of times share."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
from tests.parity.comparing import CLASSICS

from analysis import stats

# analysis: file, time, event, group; for events a column and the value that means the event
SINGLE = {
    "lung_all": ("lung", "time", ("status", 2), None),
    "lung_sex": ("lung", "time", ("status", 2), "sex"),
    "veteran_all": ("veteran", "time", ("status", 1), None),
    "veteran_trt": ("veteran", "time", ("status", 1), "trt"),
    "veteran_cell": ("veteran", "time", ("status", 1), "celltype"),
    "colon_death_rx": ("colon", "time", ("status", 1), "rx"),
    "mgus2_death": ("mgus2", "futime", ("death", 1), None),
    "pbc_death": ("pbc", "time", ("status", 2), None),
    "pbc_death_trt": ("pbc", "time", ("status", 2), "trt"),
    "aml_x": ("aml", "time", ("status", 1), "x"),
    "gehan_treat": ("gehan", "time", ("cens", 1), "treat"),
    "heart_lefttrunc": ("heart", "stop", ("event", 1), None),
}
BMT = {"1": "e1", "2": "e2"}
MGUS = {"1": "pcm", "2": "death"}
TRANSPLANT = {"death": "death", "ltx": "ltx", "withdraw": "withdraw"}
COMPETING = {  # analysis: file, time, end, group; words of the end in the file and in survfit
    "bmt_dis": ("bmt_scrucca2007", "ftime", "status", "dis", BMT),
    "bmt_all": ("bmt_scrucca2007", "ftime", "status", None, BMT),
    "mgus2_sex": ("mgus2_competing", "etime", "event", "sex", MGUS),
    "mgus2_all": ("mgus2_competing", "etime", "event", None, MGUS),
    "transplant_abo": ("transplant", "futime", "event", "abo", TRANSPLANT),
    "transplant_all": ("transplant", "futime", "event", None, TRANSPLANT),
}


@cache
def table(shared: Path, folder: str, name: str) -> pd.DataFrame:
    """Read one CSV file of the classics."""
    return pd.read_csv(shared / CLASSICS / folder / f"{name}.csv")


def golden(shared: Path, name: str, analysis: str, **where: object) -> pd.DataFrame:
    """Rows of R's values for one analysis."""
    rows = table(shared, "golden", name)
    for column, value in {"analysis": analysis, **where}.items():
        rows = rows[rows[column] == value]
    return rows


def numbered(labels: pd.Series, strata: pd.Series) -> np.ndarray:
    """Number each row's group as R's strata (``sex=1``, ``sex=2``) are ordered; -1: in none."""
    names = [stratum.split("=", 1)[-1] for stratum in dict.fromkeys(strata)]
    words = labels.map(lambda value: f"{value:g}" if isinstance(value, float) else str(value))
    return words.map(lambda word: names.index(word) if word in names else -1).to_numpy()


def survival_curves(shared: Path) -> Iterator[tuple[str, stats.SurvivalCurve]]:
    """Yield every analysis with one end, and its curves."""
    for analysis, (file, time, (event, value), by) in SINGLE.items():
        rows = table(shared, "data", file)
        rows = rows[rows["etype"] == 2] if file == "colon" else rows
        strata = golden(shared, "km_curves", analysis)["strata"]
        group = np.zeros(len(rows), int) if by is None else numbered(rows[by], strata)
        rows, group = rows[group >= 0], group[group >= 0]
        happened = (rows[event] == value).to_numpy(int)
        counts = [group, rows[time].to_numpy(), happened, 1 - happened]
        entered = None
        if file == "heart":
            nobody = np.zeros(len(rows), int)
            entries = [group, rows["start"].to_numpy(), nobody, nobody]
            counts = [np.concatenate(pair) for pair in zip(counts, entries, strict=True)]
            entered = np.concatenate([nobody, nobody + 1])
        yield analysis, stats.kaplan_meier(*counts, n_entered=entered)


def incidence_curves(shared: Path) -> Iterator[tuple[str, stats.IncidenceCurve]]:
    """Yield every analysis with several ends, and its curves."""
    for analysis, (file, time, end, by, words) in COMPETING.items():
        rows = table(shared, "data", file)
        strata = golden(shared, "aalen_johansen_survfit", analysis)["strata"]
        group = np.zeros(len(rows), int) if by is None else numbered(rows[by], strata)
        ends = rows[end].astype(str).to_numpy()
        n_events = np.stack([ends == word for word in words], axis=1).astype(int)
        censored = 1 - n_events.sum(axis=1)
        yield analysis, stats.aalen_johansen(group, rows[time].to_numpy(), n_events, censored)


def curves_of_cuminc(
    shared: Path, analysis: str, name: str
) -> Iterator[tuple[int, int, pd.DataFrame]]:
    """Yield group number, cause number and the rows of each curve, named ``group cause``."""
    words = list(COMPETING[analysis][4])
    strata = golden(shared, "aalen_johansen_survfit", analysis)["strata"]
    names = [stratum.split("=", 1)[-1] for stratum in dict.fromkeys(strata)]
    for curve, rows in golden(shared, name, analysis).groupby("curve"):
        group, word = curve.rsplit(" ", 1)
        yield names.index(group) if group in names else 0, words.index(word), rows

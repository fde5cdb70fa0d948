"""Tests of equal curves: the log-rank family, and Gray's test."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from tests.parity.comparing import CLASSICS, REFERENCE, Comparison, Pairs

from analysis import stats

STATS = REFERENCE / "stats"
R = "R survival 3.5-3"
RANKED = {  # test: file, time, event and its code, group, stratum
    "lung_sex": ("lung", "time", "status", 2, "sex", None),
    "lung_sex_peto": ("lung", "time", "status", 2, "sex", None),
    "lung_sex_strat_inst": ("lung", "time", "status", 2, "sex", "inst"),
    "veteran_trt": ("veteran", "time", "status", 1, "trt", None),
    "veteran_cell": ("veteran", "time", "status", 1, "celltype", None),
    "veteran_trt_strat_cell": ("veteran", "time", "status", 1, "trt", "celltype"),
    "colon_death_rx": ("colon", "time", "status", 1, "rx", None),
    "pbc_trt": ("pbc", "time", "status", 2, "trt", None),
    "aml_x": ("aml", "time", "status", 1, "x", None),
    "gehan_treat": ("gehan", "time", "cens", 1, "treat", None),
}
RACES = {  # analysis: file, time, end, group, words of the causes
    "bmt_dis": ("bmt_scrucca2007", "ftime", "status", "dis", ("1", "2")),
    "mgus2_sex": ("mgus2_competing", "etime", "event", "sex", ("1", "2")),
    "transplant_abo": ("transplant", "futime", "event", "abo", ("death", "ltx", "withdraw")),
}


def numbered(values: pd.Series, labels: pd.Series | None = None) -> np.ndarray:
    """Number values from 0: sorted, or as ``labels`` ("sex=1") are."""
    words = values.astype(str).str.removesuffix(".0")
    if labels is None:
        return np.unique(words, return_inverse=True)[1]
    names = [label.split("=", 1)[-1] for label in labels]
    return words.map(names.index).to_numpy()


def rows(shared: Path, file: str, columns: list[str | None]) -> pd.DataFrame:
    """Rows of a classic, those without one of the columns left out."""
    table = pd.read_csv(shared / CLASSICS / "data" / f"{file}.csv")
    table = table[table["etype"] == 2] if file == "colon" else table
    return table.dropna(subset=[column for column in columns if column])


def log_ranks(shared: Path) -> Pairs:
    """Compare with ``survdiff``."""
    golden = pd.read_csv(shared / CLASSICS / "golden" / "logrank.csv")
    for test, (file, time, event, code, group, stratum) in RANKED.items():
        expected = golden[golden["test"] == test]
        table = rows(shared, file, [time, event, group, stratum])
        died = (table[event] == code).to_numpy(int)
        found = stats.log_rank(
            numbered(table[group], expected["group"]),
            table[time].to_numpy(),
            died,
            1 - died,
            stratum=None if stratum is None else numbered(table[stratum]),
            rho=expected["rho"].iloc[0],
        )
        for name, values in (("chisq", "chisq"), ("df", "df"), ("p_value", "p")):
            yield getattr(found, name), expected[values].iloc[0]
        yield found.observed, expected["obs"]
        yield found.expected, expected["exp"]


def grays(shared: Path) -> Pairs:
    """Compare with ``cuminc(...)$Tests``."""
    golden = pd.read_csv(shared / CLASSICS / "golden" / "gray_tests.csv")
    for analysis, (file, time, end, group, causes) in RACES.items():
        expected = golden[golden["analysis"] == analysis]
        table = rows(shared, file, [time, end, group])
        words = table[end].astype(str).to_numpy()
        ends = np.stack([words == cause for cause in causes], axis=1).astype(int)
        found = stats.gray_test(
            numbered(table[group]), table[time].to_numpy(), ends, 1 - ends.sum(axis=1)
        )
        yield from zip(found[:3], (expected[c] for c in ("stat", "df", "p")), strict=True)


def compared() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Made-up spells, and R's tests on them."""
    return pd.read_csv(STATS / "spells_compared.csv"), pd.read_csv(STATS / "tests_compared.csv")


def log_ranks_ours(_: None) -> Pairs:
    """Compare with ``survdiff``, and with the robust score test of ``coxph``."""
    spells, expected = compared()
    expected = expected.set_index("test")
    died = (spells["cause"] == 1).to_numpy(int)
    given = (numbered(spells["method"]), spells["time"].to_numpy(), died, 1 - died)
    country, seller = numbered(spells["country"]), spells["seller"].to_numpy()
    calls = {
        "logrank": {},
        "logrank_early": {"rho": 1.0},
        "logrank_strata": {"stratum": country},
        "logrank_early_strata": {"stratum": country, "rho": 1.0},
        "logrank_cluster": {"cluster": seller},
        "logrank_cluster_strata": {"cluster": seller, "stratum": country},
    }
    for test, options in calls.items():
        found = stats.log_rank(*given, **options)
        yield (found.chisq, found.df), expected.loc[test, ["stat", "df"]]


def grays_ours(_: None) -> Pairs:
    """Compare with ``cuminc``, with and without strata."""
    spells, expected = compared()
    cause = spells["cause"].to_numpy()
    ends = np.stack([cause == 1, cause == 2], axis=1).astype(int)
    given = (numbered(spells["method"]), spells["time"].to_numpy(), ends, 1 - ends.sum(axis=1))
    for test, stratum in (("gray", None), ("gray_strata", numbered(spells["country"]))):
        found = stats.gray_test(*given, stratum=stratum)
        wanted = expected[expected["test"].isin([f"{test}_1", f"{test}_2"])]
        yield from zip(found[:3], (wanted[c] for c in ("stat", "df", "p")), strict=True)


COMPARISONS = [
    Comparison(
        "log_rank",
        "chi-square, df, p, observed and expected, 10 tests (rho 0 and 1, stratified)",
        f"{R}, survdiff",
        "golden/logrank.csv",
        log_ranks,
    ),
    Comparison(
        "log_rank",
        "chi-square, df: rho 0 and 1, stratified, clustered",
        f"{R}, survdiff; clustered: robust score test of coxph",
        "reference/stats/tests_compared.csv",
        log_ranks_ours,
        remark="clustered p-values are Hotelling's, R's are of chi-square",
    ),
    Comparison(
        "gray_test",
        "statistic, df, p for each cause",
        "R cmprsk 2.2-11, cuminc",
        "golden/gray_tests.csv",
        grays,
    ),
    Comparison(
        "gray_test",
        "statistic, df, p for each cause, with and without strata",
        "R cmprsk 2.2-11, cuminc",
        "reference/stats/tests_compared.csv",
        grays_ours,
    ),
]

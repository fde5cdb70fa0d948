"""Textbook data against R's published numbers: survival 3.5, cmprsk 2.2.

Data and values are not in the repository; the tests skip where they are absent.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis.stats import (
    KINDS,
    aalen_johansen,
    aalen_variance,
    incidence_at,
    incidence_limits,
    kaplan_meier,
    restricted_mean,
    survival_limits,
    survival_quantiles,
)
from analysis.stats.scales import probability_limits

RTOL, ATOL = 1e-9, 1e-12

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


@pytest.fixture(scope="module")
def classics(shared_data):
    """Read a CSV file of the classics, each once."""
    read = {}

    def table(folder, name):
        path = shared_data / "survival_classics" / folder / f"{name}.csv"
        if path not in read:
            read[path] = pd.read_csv(path)
        return read[path]

    return table


def golden(classics, name, analysis, **where):
    table = classics("golden", name)
    for column, value in {"analysis": analysis, **where}.items():
        table = table[table[column] == value]
    return table


def rows_of(classics, file):
    rows = classics("data", file)
    return rows[rows["etype"] == 2] if file == "colon" else rows


def numbered(labels, strata):
    """Number each row's group as R's strata (``sex=1``, ``sex=2``) are ordered; -1: in none."""
    names = [stratum.split("=", 1)[-1] for stratum in dict.fromkeys(strata)]
    words = labels.map(lambda value: f"{value:g}" if isinstance(value, float) else str(value))
    return words.map(lambda word: names.index(word) if word in names else -1).to_numpy()


@pytest.fixture(params=SINGLE)
def analysis(request):
    return request.param


@pytest.fixture
def curve(classics, analysis):
    file, time, (event, value), by = SINGLE[analysis]
    rows = rows_of(classics, file)
    strata = golden(classics, "km_curves", analysis)["strata"]
    group = np.zeros(len(rows), int) if by is None else numbered(rows[by], strata)
    rows, group = rows[group >= 0], group[group >= 0]
    happened = (rows[event] == value).to_numpy(int)
    if file != "heart":
        return kaplan_meier(group, rows[time].to_numpy(), happened, 1 - happened)
    nobody = np.zeros(len(rows), int)
    return kaplan_meier(
        np.concatenate([group, group]),
        np.concatenate([rows["stop"], rows["start"]]),
        np.concatenate([happened, nobody]),
        np.concatenate([1 - happened, nobody]),
        n_entered=np.concatenate([nobody, nobody + 1]),
    )


def assert_equal(found, expected, what):
    np.testing.assert_allclose(found, expected, rtol=RTOL, atol=ATOL, err_msg=what)


def test_kaplan_meier_and_all_five_limits(classics, analysis, curve):
    expected = golden(classics, "km_curves", analysis)
    columns = {
        "time": curve.time,
        "n_risk": curve.n_at_risk,
        "n_event": curve.n_event,
        "n_censor": curve.n_censored,
        "surv": curve.survival,
        "se_greenwood_surv": np.sqrt(curve.variance),
        "cumhaz_nelson_aalen": curve.hazard,
        "se_cumhaz": np.sqrt(curve.hazard_variance),
    }
    for kind in KINDS:
        name = kind.replace("-", "")
        columns[f"lower_{name}"], columns[f"upper_{name}"] = survival_limits(curve, kind=kind)
    for name, values in columns.items():
        assert_equal(values, expected[name], name)


@pytest.mark.parametrize("kind", KINDS)
def test_quantiles_with_their_limits(classics, analysis, curve, kind):
    expected = golden(classics, "km_quantiles", analysis, conf_type=kind)
    found = survival_quantiles(curve, [0.25, 0.5, 0.75], kind=kind)
    for values, name in zip(found, ("quantile", "lower", "upper"), strict=True):
        assert_equal(values.ravel(), expected[name], name)


def test_restricted_means(classics, analysis, curve):
    for tau, expected in golden(classics, "rmst", analysis).groupby("tau"):
        mean = restricted_mean(curve, tau)
        assert_equal(mean.estimate, expected["rmst"], f"mean to {tau}")
        assert_equal(mean.std_error, expected["se_rmst"], f"its error to {tau}")


@pytest.fixture(params=COMPETING)
def race(request):
    return request.param


@pytest.fixture
def incidence(classics, race):
    file, time, end, by, words = COMPETING[race]
    rows = rows_of(classics, file)
    strata = golden(classics, "aalen_johansen_survfit", race)["strata"]
    group = np.zeros(len(rows), int) if by is None else numbered(rows[by], strata)
    ends = rows[end].astype(str).to_numpy()
    n_events = np.stack([ends == word for word in words], axis=1).astype(int)
    return aalen_johansen(group, rows[time].to_numpy(), n_events, 1 - n_events.sum(axis=1))


@pytest.mark.parametrize("kind", ["log", "log-log", "plain"])
def test_aalen_johansen_with_survfits_jackknife(classics, race, incidence, kind):
    limits = incidence_limits(incidence, kind=kind)
    survival = incidence.survival, incidence.survival_variance
    columns = {"(s0)": (*survival, *probability_limits(*survival, kind=kind))}
    for cause, state in enumerate(COMPETING[race][4].values()):
        parts = (incidence.incidence, incidence.variance, *limits)
        columns[state] = tuple(part[:, cause] for part in parts)
    for state, (share, variance, low, high) in columns.items():
        expected = golden(classics, "aalen_johansen_survfit", race, conf_type=kind, state=state)
        np.testing.assert_array_equal(incidence.time, expected["time"])
        assert_equal(share, expected["pstate"], state)
        assert_equal(np.sqrt(variance), expected["se_ij"], f"{state} error")
        assert_equal(low, expected["lower"], f"{state} low")
        assert_equal(high, expected["upper"], f"{state} high")


def curves_of_cuminc(classics, race, name):
    """Yield group number, cause number and the rows of each curve, named ``group cause``."""
    words = list(COMPETING[race][4])
    strata = golden(classics, "aalen_johansen_survfit", race)["strata"]
    names = [stratum.split("=", 1)[-1] for stratum in dict.fromkeys(strata)]
    for curve, rows in golden(classics, name, race).groupby("curve"):
        group, word = curve.rsplit(" ", 1)
        yield names.index(group) if group in names else 0, words.index(word), rows


def test_cuminc_with_aalens_variance(classics, race, incidence):
    variance = aalen_variance(incidence)
    checked = 0
    for group, cause, rows in curves_of_cuminc(classics, race, "cuminc_cmprsk"):
        after = rows.groupby("time", as_index=False).last()  # the file has each jump twice
        own = np.flatnonzero(incidence.group == group)
        at = np.searchsorted(incidence.time[own], after["time"], side="right") - 1
        for name, values in (("est", incidence.incidence), ("var", variance)):
            found = np.where(at >= 0, values[own[np.maximum(at, 0)], cause], 0.0)
            assert_equal(found, after[name], f"{race} {group} {cause} {name}")
        checked += 1
    assert checked == len(np.unique(incidence.group)) * incidence.incidence.shape[1]


def test_cuminc_at_given_times(classics, race, incidence):
    variance = aalen_variance(incidence)
    for group, cause, rows in curves_of_cuminc(classics, race, "cuminc_timepoints"):
        times = rows["time"].to_numpy()
        other = incidence_at(incidence._replace(variance=variance), times, kind="plain")
        last = incidence.time[incidence.group == group].max()
        expected = rows["est"].where(times <= last)
        assert_equal(other.incidence[group, :, cause], expected, f"{race} {group} {cause}")
        reach = probability_limits(expected, rows["var"], kind="plain")[1]
        assert_equal(other.high[group, :, cause], reach, f"{race} {group} {cause} limit")

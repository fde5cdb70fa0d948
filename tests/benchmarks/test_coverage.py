"""The studies of coverage: laws with the truth they claim, fair scores, a table in step."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from benchmarks.coverage import STUDIES, laws
from benchmarks.coverage.markets import Truth, side_by_side
from benchmarks.coverage.running import run_all
from benchmarks.coverage.study import DESCRIBED, Found, Outcome, Study, joined, scored
from benchmarks.coverage.writing import PAGE, TABLE, page, written
from scipy.stats import binom

SMALL = 150
QUICK = (  # a few studies of every kind of law that take next to no time
    "a rare share",
    "difference of two success rates",
    "success rate with few sellers",
    "mean days to the money, at most 14",
    "requests approved within 7 days",
    "groups with equal shares of an end",
)


def a_study(**more):
    known = {"topic": "t", "estimand": "e", "estimator": "wilson", "law": "l", "cases": "c"}
    return Study(**{**known, "draw": lambda seed, n: None, **more})


# the table


def test_the_table_holds_every_study_as_it_is_described():
    table = pd.read_csv(TABLE, keep_default_na=False)
    assert len(table) == len(STUDIES) >= 20
    for row, study in zip(table.to_dict("records"), STUDIES, strict=True):
        assert {name: row[name] for name in DESCRIBED} == {n: getattr(study, n) for n in DESCRIBED}
        assert 0.98 * study.replications <= int(row["n"]) <= study.replications
    assert len({study.name for study in STUDIES}) == len(STUDIES)
    assert list(written()) == [study.name for study in STUDIES]


def test_the_page_is_that_of_the_table():
    assert PAGE.read_text(encoding="utf-8") == page(pd.read_csv(TABLE))


def test_studies_are_large_and_their_names_fit_a_figure():
    for study in STUDIES:
        assert study.replications >= 1000, study.name
        assert len(study.estimand) <= 34, study.name


# the studies themselves, small


@pytest.mark.parametrize("study", [s for s in STUDIES if s.estimand in QUICK], ids=lambda s: s.name)
def test_a_small_run_agrees_with_the_table(study):
    (row,) = run_all([study], workers=1, most=SMALL)
    full = written()[study.name]
    fewest, most = binom.ppf([0.0005, 0.9995], row["n"], full["estimate"])
    assert fewest <= round(row["estimate"] * row["n"]) <= most
    assert (row["n"], row["kind"], row["nominal"]) == (SMALL, full["kind"], full["nominal"])


def test_numbers_do_not_depend_on_what_else_is_run():
    some = [study for study in STUDIES if study.estimand == "a rare share"]
    together = run_all(some, workers=1, most=200)
    assert [run_all([study], workers=1, most=200)[0] for study in some] == together


@pytest.mark.slow
def test_numbers_do_not_depend_on_the_number_of_processes():
    some = [study for study in STUDIES if study.estimand in QUICK[:2]]
    one, two = (pd.DataFrame(run_all(some, workers=n, most=50)) for n in (1, 2))
    pd.testing.assert_frame_equal(one, two)


def test_studies_of_markets_have_a_row_a_market():
    tables, truth = side_by_side(range(3), n_orders=3_000), Truth(60_000)
    for study in (study for study in STUDIES if study.of_markets):
        ours, true, naive = study.draw(tables, truth)
        for found in (ours, naive):
            assert [len(column) for column in found] == [3, 3, 3], study.name
            assert np.isfinite(found.estimate).all()
        assert 0 < true < (1 if study.unit == "share" else 30)
        assert abs(ours.estimate - true).max() < (0.3 if study.unit == "share" else 6), study.name


# scores


def test_limits_are_scored_by_whether_they_hold_the_truth():
    # 3 of 4 hold 0.5; errors -0.2, 0, 0.1, 0.3: mean 0.05; widths 0.2, 0.2, 0.2, 0.4: mean 0.25
    found = Found(
        np.array([0.3, 0.5, 0.6, 0.8]),
        np.array([0.2, 0.4, 0.5, 0.5]),
        np.array([0.4, 0.6, 0.7, 0.9]),
    )
    row = scored(a_study(), Outcome(found, 0.5))
    assert (row["estimate"], row["n"], row["truth"]) == (0.75, 4, 0.5)
    assert (row["bias"], row["width"]) == (0.05, 0.25)
    errors = np.array([-0.2, 0, 0.1, 0.3])
    assert row["bias_error"] == pytest.approx(errors.std(ddof=1) / 2, rel=1e-4)
    assert row["verdict"] == "too narrow"
    assert np.isnan(row["naive"])


def test_a_missing_limit_is_none_and_a_missing_estimate_is_no_answer():
    ones = np.ones(100)
    open_above = Found(ones, 0 * ones, np.where(ones > 0, np.nan, ones))
    assert scored(a_study(), Outcome(open_above, 7.0))["estimate"] == 1
    few = np.where(np.arange(100) < 1, np.nan, 1.0)
    assert scored(a_study(), Outcome(Found(few, 0 * ones, 2 * ones), 1.0))["n"] == 99
    many = np.where(np.arange(100) < 50, np.nan, 1.0)
    with pytest.raises(ValueError, match=r"t: e ~ wilson, l: 50.0% of the estimates are missing"):
        scored(a_study(), Outcome(Found(many, 0 * ones, 2 * ones), 1.0))
    naive = scored(
        a_study(), Outcome(Found(ones, 0 * ones, 2 * ones), 1.0, Found(many, *2 * [ones]))
    )
    assert naive["naive"] == 0.5  # what gives no answer holds nothing


def test_tests_are_scored_by_their_false_alarms():
    row = scored(a_study(), Outcome(np.array([0.01, 0.2, 0.5, 0.9]), naive=np.full(4, 0.001)))
    assert (row["kind"], row["estimate"], row["naive"]) == ("test", 0.25, 1.0)
    assert (row["nominal"], row["verdict"]) == (0.05, "too bold")


def test_units_of_one_dataset_count_as_one_cluster():
    inside = np.repeat([[1.0], [0.0]], 50, axis=1)  # two datasets of 50 units: all or nothing
    found = Found(inside, inside - 0.1, inside + 0.1)
    row = scored(a_study(), Outcome(found, np.ones((2, 50))))
    assert (row["estimate"], row["n"]) == (0.5, 2)
    assert row["ci_high"] - row["ci_low"] > 0.9


@pytest.mark.parametrize(
    ("share", "promise", "verdict"),
    [
        (0.95, None, "kept"),
        (0.90, None, "too narrow"),
        (0.99, None, "too wide"),
        (0.99, (0.95, 1.0), "kept"),
    ],
)
def test_a_promise_is_kept_within_its_range(share, promise, verdict):
    truth = np.where(np.arange(100) < 100 * share, 1.0, 9.0)
    found = Found(np.ones(100), np.zeros(100), np.full(100, 2.0))
    assert scored(a_study(promise=promise), Outcome(found, truth))["verdict"] == verdict


def test_parts_of_a_study_are_put_together():
    one = Outcome(Found(np.ones(2), np.zeros(2), np.ones(2)), 0.5)
    whole = joined([one, one])
    assert [len(column) for column in whole.ours] == [4, 4, 4]
    assert (whole.truth, whole.naive) == (0.5, None)


# laws


def near(values, true):
    """Whether a mean of many draws is as near to the truth as chance brings it."""
    return abs(np.mean(values) - true) < 5 * np.std(values) / np.sqrt(len(values))


def test_log_normal_times_have_the_truth_they_claim():
    law, rng = laws.LogNormal(median=5.0, sigma=0.7), np.random.default_rng(1)
    time = law.draw(rng, 200_000)
    assert near(time <= 7, law.cdf(7.0))
    assert near(time <= law.quantile(0.8), 0.8)
    assert near(np.minimum(time, 14), law.restricted_mean(14.0))


def test_frail_times_have_the_truth_they_claim():
    law, rng = laws.Frailty(scale=6.0, shape=1.3, variance=0.5), np.random.default_rng(1)
    time = law.draw(rng, np.arange(200_000))  # a seller each: independent
    assert near(time > 5, law.survival(5.0))
    assert near(time <= law.quantile(0.5), 0.5)
    assert near(np.minimum(time, 10), law.restricted_mean(10.0))


def test_races_have_the_truth_they_claim():
    law, rng = laws.Race(first=0.12, second=0.08), np.random.default_rng(1)
    time, end = law.draw(rng, 200_000)
    first = end == 0
    assert near(first & (time <= 7), law.incidence(7.0))
    assert near(np.where(first, np.maximum(14 - time, 0), 0.0), law.time_lost(14.0))


def test_stable_frailties_shrink_a_log_hazard_ratio_by_their_index():
    frailty = laws.positive_stable(np.random.default_rng(1), 0.6, 200_000)
    for s in (0.3, 1.0, 2.0):
        assert near(np.exp(-s * frailty), np.exp(-(s**0.6)))


def test_sellers_have_the_mean_and_the_spread_they_claim():
    law = {"sellers": 100, "mean": 0.6, "strength": 8.0, "typical": 10.0, "spread": 0.5}
    drawn = laws.beta_binomial(np.random.default_rng(1), 500, **law)
    assert near(drawn.rate, 0.6)
    assert near((drawn.rate - 0.6) ** 2, 0.6 * 0.4 / 9)
    assert (drawn.k <= drawn.n).all() and drawn.n.min() >= 1


def test_what_is_seen_is_cut_at_the_age():
    rng = np.random.default_rng(1)
    end = rng.exponential(5, 1000)
    seen = laws.observed(rng, np.zeros(1000, int), end, longest=8.0)
    assert (seen.time <= end).all() and seen.time.max() <= 8
    assert (seen.seen == (seen.time == end)).all() and 0.2 < seen.seen.mean() < 0.8

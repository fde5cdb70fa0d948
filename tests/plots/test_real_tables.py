"""Figures and sentences on the tables of the real measures, from a small synthetic market."""

from __future__ import annotations

import inspect
import sys

import pytest
from tests.plots import samples

from analysis import plots
from analysis.marketplace import write_market
from analysis.measures import MEASURES, why_not
from analysis.report.say import __name__ as say_name
from analysis.sources import open_tables

GROUPABLE = [m for m in MEASURES.values() if "by" in inspect.signature(m).parameters]
CALLED = {"cancellation_success_rate": "success_rate"}


def sentence(name, table):
    return getattr(sys.modules[say_name], f"say_{name}")(table)


@pytest.fixture(scope="module")
def market(tmp_path_factory):
    folder = tmp_path_factory.mktemp("market") / "small"
    write_market(folder, 3000, seed=11, policy="aliexpress", workers=1)
    return open_tables(folder)


@pytest.mark.parametrize("measure", MEASURES.values(), ids=lambda m: m.__name__)
def test_every_measure_has_a_figure_a_sentence_and_a_true_sample(market, measure):
    name = CALLED.get(measure.__name__, measure.__name__)
    table = measure(market)
    assert list(samples.overall(name).columns) == list(table.columns)
    assert getattr(plots, f"plot_{name}")(table).get_figure() is not None
    assert sentence(name, table).endswith(".")


BYS = [["payment_method"], ["size_tier", "payment_method"]]
IN_GROUPS = [  # each measure by one or by two columns, in turn; the other as a study
    pytest.param(measure, by, marks=[pytest.mark.study] * ((place + i) % 2))
    for place, measure in enumerate(GROUPABLE)
    for i, by in enumerate(BYS)
]


@pytest.mark.parametrize(("measure", "by"), IN_GROUPS)
def test_every_measure_in_groups(market, measure, by):
    name = CALLED.get(measure.__name__, measure.__name__)
    table = measure(market, by=by)
    ax = getattr(plots, f"plot_{name}")(table)
    ax.get_figure(root=True).draw_without_rendering()
    assert sentence(name, table).endswith(".")


def test_the_card_of_an_order(market):
    table = why_not(market)
    assert list(samples.card.why_not().columns) == list(table.columns)
    assert plots.plot_why_not(table).get_figure() is not None
    assert sentence("why_not", table).startswith("Order ")

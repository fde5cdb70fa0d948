"""The headline figures of the index, word for word."""

from __future__ import annotations

import pandas as pd
import pytest

from analysis.report import headlines


@pytest.fixture
def rules(monkeypatch):
    """The rules that stop requests: names with estimate, limits and number of requests."""

    def told(*rows):
        columns = ["blocker", "estimate", "ci_low", "ci_high", "n_events"]
        table = pd.DataFrame(rows, columns=columns).assign(n=900)
        monkeypatch.setattr(headlines, "answered", lambda measure, tables: table)
        return headlines._blocker(None)

    return told


RULES = "of requests stopped by the commonest rule: already shipped"


def test_the_commonest_rule_leads_only_if_it_does(rules):
    shipped, review = ("already_shipped", 0.3, 0.27, 0.33, 9), ("payment_under_review", 0.2)
    assert rules((*review, 0.18, 0.22, 9), shipped).label == RULES
    close = rules((*review, 0.18, 0.28, 9), shipped)
    assert close.label == f"{RULES}, without a clear lead over payment under review"
    assert (close.value, close.interval, close.n) == ("30%", "27% to 33%", "900 requests")


def test_no_rule_is_the_commonest_where_none_stopped_a_request(rules):
    assert rules(("already_shipped", 0.0, 0.0, 0.1, 0)) is None
    assert rules() is None

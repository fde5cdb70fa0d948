from __future__ import annotations

from analysis.marketplace import write_market
from analysis.sources import check, open_tables


def test_a_written_market_keeps_every_rule_of_the_contract(tmp_path):
    write_market(tmp_path / "market", 20_000)
    found = check(open_tables(tmp_path / "market"))
    assert len(found) > 80
    assert found[found.n_broken > 0].empty, found[found.n_broken > 0].to_string()

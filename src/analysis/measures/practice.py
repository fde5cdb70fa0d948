"""Policy and practice: what the written rules say to a request, beside what became of it.

Unit: one cancellation request of a buyer. Denominator: the mature requests to which the rules say
the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import ibis
import numpy as np
import pandas as pd

from analysis.contract import MissingData, codes
from analysis.marketplace.blockers import is_blocked, is_instant
from analysis.marketplace.policy import Policy, load_policy
from analysis.marketplace.presets import from_dict
from analysis.measures.counting import HOUR, mature_requests, requests_of, require_own_columns
from analysis.measures.moments import with_earlier_requests, with_moment
from analysis.measures.rates import HORIZON_HOURS
from analysis.measures.shares import word_table
from analysis.sources import Tables, seconds_between
from analysis.sources.tables import OF_THE_ORDER

if TYPE_CHECKING:
    import ibis.expr.types as ir

MUST_BLOCK, AT_ONCE, UP_TO_SELLER = VERDICTS = (
    "must_block",
    "may_cancel_at_once",
    "up_to_the_seller",
)
TOO_EARLY, TOO_LATE = UNTIMELY = ("timed_out_early", "past_deadline")
PRACTICES = (*codes.OUTCOMES, *UNTIMELY)
SLACK_HOURS = 1.0  # a deadline that is kept by a job that runs now and then is kept
SILENT = {"auto_approve": "auto_approved_timeout", "not_cancelled": "expired_not_cancelled"}


def policy_versus_practice(
    tables: Tables,
    *,
    policy: str | Policy | None = None,
    by: Sequence[str] = (),
    horizon_hours: float = HORIZON_HOURS,
    level: float = 0.95,
) -> pd.DataFrame:
    """What became of buyers' requests, by what the written rules say to them.

    Parameters
    ----------
    tables
        Opened dataset; needs ``requests`` with ``decided_at`` and ``orders`` with ``paid_at``,
        ``shipped_at``, ``ended_at`` and ``end_code`` (and ``packed_at`` where packing blocks).
    policy
        The written rules: the name of a preset, or a ``Policy``. None takes those that synthetic
        data was made with.
    by
        Grouping columns of requests, orders or sellers.
    horizon_hours
        A request counts once it is this old at ``as_of``; later decisions do not count.
    level
        Confidence level, in (0, 1).

    Returns
    -------
    DataFrame
        One row per group, verdict of the rules and practice that occurs anywhere with it: ``*by,
        verdict, practice, is_breach, estimate, ci_low, ci_high, n, n_events, n_pending,
        n_clusters, policy, interval``. The estimate is the share of the verdict's mature requests;
        the shares of one verdict add up to 1. Verdicts are ``must_block`` (a rule stands in the
        way), ``may_cancel_at_once`` (without the seller) and ``up_to_the_seller``. Practices are
        the outcomes of the contract (``pending``: still undecided at the horizon), and of what is
        up to the seller also ``past_deadline`` (decided, or still undecided, more than an hour
        after the seller's deadline) and ``timed_out_early`` (closed for silence more than an hour
        before it).

    Raises
    ------
    MissingData
        No policy is named and the data was not made with one; or a column that is needed is not in
        the data.
    ValueError
        There is no preset of that name.

    Notes
    -----
    ``is_breach`` marks what contradicts the rules, whoever gains by it: everything but ``blocked``
    where a rule stands in the way, everything but ``instant_cancelled`` where nobody has to be
    asked, and of what is up to the seller whatever the platform decided in its place
    (``blocked``, ``instant_cancelled``), silence that was taken for the other answer, and
    deadlines that were not kept. A seller may refuse, and ship, what is up to the seller. The
    rules are :data:`analysis.marketplace.blockers.RULES` themselves, evaluated in the engine at
    the moment of asking. What a log cannot know is left out: that a payment's review or a dispute
    was open is believed to ``order_state``, and a rule that is not on the list (an account on
    hold) shows as a breach. Interval: Wilson (1927) score, clustered by seller where known.
    """
    rules = _policy_of(tables, policy)
    packed = ["packed_at"] if rules.packed_blocks else []
    for column in ("paid_at", "shipped_at", "ended_at", "end_code", *packed):
        tables.need("orders", column, by="policy_versus_practice")
    frame, by = requests_of(
        tables, by, "buyer", needed_by="policy_versus_practice", columns=OF_THE_ORDER
    )
    require_own_columns(("verdict", "is_breach", "policy"), by)
    frame, moment = with_moment(with_earlier_requests(tables, frame))
    verdict = ibis.cases((is_blocked(moment, rules), 0), (is_instant(moment, rules), 1), else_=2)
    mature, in_time = mature_requests(tables, frame, horizon_hours)
    frame = frame.mutate(verdict_=verdict.cast("int64"), mature_=mature, in_time_=in_time)
    word = _practice(frame, rules, horizon_hours)
    table = word_table(
        frame,
        [*by, "verdict_"],
        word,
        PRACTICES,
        counted=frame.mature_,
        level=level,
        name="practice",
    )
    return _named(table, by, rules)


def _policy_of(tables: Tables, policy: str | Policy | None) -> Policy:
    if policy is not None:
        return load_policy(policy)
    made_with = tables.manifest.made_with if tables.manifest is not None else {}
    if "policy" not in made_with:
        raise MissingData(
            "the policy of the marketplace (name one: policy=...)",
            needed_by="policy_versus_practice",
        )
    return from_dict(Policy, made_with["policy"])


def _practice(frame: ir.Table, rules: Policy, horizon_hours: float) -> ir.StringValue:
    """What became of each request, in the words of ``PRACTICES``."""
    in_time = frame.in_time_
    outcome = in_time.ifelse(frame.outcome, codes.PENDING)
    if rules.silence == "waits":
        return outcome
    took = seconds_between(frame.requested_at, frame.decided_at)
    waited = in_time.ifelse(took, int(horizon_hours * HOUR))
    limit = rules.answer_deadline_hours
    asked = frame.verdict_ == VERDICTS.index(UP_TO_SELLER)
    silent = outcome.isin(tuple(SILENT.values()))
    return ibis.cases(
        (asked & (waited > int((limit + SLACK_HOURS) * HOUR)), TOO_LATE),
        (asked & silent & (waited < int((limit - SLACK_HOURS) * HOUR)), TOO_EARLY),
        else_=outcome,
    )


def _named(table: pd.DataFrame, by: Sequence[str], rules: Policy) -> pd.DataFrame:
    """Name the verdicts, mark the breaches, and keep what occurs anywhere."""
    verdict = np.array(VERDICTS, dtype=object)[table["verdict_"].to_numpy(int)]
    practice = table["practice"].to_numpy(object)
    occurs = table.groupby(["verdict_", "practice"])["n_events"].transform("sum") > 0
    table = table.rename(columns={"verdict_": "verdict"}).assign(
        verdict=pd.Series(verdict, index=table.index, dtype="str"),
    )
    breach = [is_breach(v, p, rules.silence) for v, p in zip(verdict, practice, strict=True)]
    table.insert(len(by) + 2, "is_breach", np.array(breach, dtype=bool))
    table.insert(len(table.columns) - 1, "policy", rules.name)
    return table[occurs].reset_index(drop=True)


def is_breach(verdict: str, practice: str, silence: str) -> bool:
    """Whether a practice contradicts the verdict of rules that take silence so.

    Examples
    --------
    >>> is_breach("must_block", "approved_by_seller", "waits")
    True
    >>> is_breach("up_to_the_seller", "rejected_by_seller", "waits")
    False
    >>> is_breach("up_to_the_seller", "auto_approved_timeout", "auto_approve")
    False
    """
    if verdict == MUST_BLOCK:
        return practice != "blocked"
    if verdict == AT_ONCE:
        return practice != "instant_cancelled"
    other_answers = set(SILENT.values()) - {SILENT.get(silence)}
    return practice in {"blocked", "instant_cancelled", *UNTIMELY, *other_answers}

"""True values of what the measures estimate, from complete histories.

The cohort is what is on record at ``as_of``; its histories are followed to their end, beyond
``as_of``. Blocks are added up: :func:`sums_of` gives one block's sums, sums add, and
:func:`estimands` reads the values off the total.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.contract import codes
from analysis.marketplace.clocks import DAY, HOUR, MINUTE, NEVER
from analysis.marketplace.life import Lives
from analysis.marketplace.plan import OUTCOME, PARTY, Plan
from analysis.marketplace.requests import SUCCESS

HORIZON_HOURS = 720
WINDOW_HOURS = (1, 6, 24, 48)
ANSWER_HOURS = (6, 24)
REFUND_DAYS = (3, 5, 7, 10, 14, 20)
MEAN_DAYS = 30
BIN = 10 * MINUTE  # resolution of refund medians
REFUND_BINS = 60 * DAY // BIN
ANSWER_MINUTES = 96 * 60
_IS_ANSWER = np.array([word in codes.SELLER_ANSWERS for word in codes.OUTCOMES])

Sums = dict[str, NDArray[np.int64] | NDArray[np.float64]]


def sums_of(plan: Plan, lives: Lives) -> Sums:
    """Sums over one set of lives."""
    return {**_of_requests(plan, lives), **_of_orders(plan, lives), **_of_refunds(plan, lives)}


def add(total: Sums | None, more: Sums) -> Sums:
    """Add sums of further lives."""
    return more if total is None else {name: total[name] + more[name] for name in more}


def _of_requests(plan: Plan, lives: Lives) -> Sums:
    made = lives.requests
    rows = np.flatnonzero((made.by == PARTY["buyer"]) & (made.at <= plan.as_of))
    spell = made.decided.at[rows] - made.at[rows]
    in_time = spell <= HORIZON_HOURS * HOUR
    outcome = np.where(in_time, made.decided.outcome[rows], OUTCOME["pending"])
    blocker = np.where(in_time, made.decided.blocker[rows], -1)
    opened = ~np.isnan(made.decided.p_approve[rows])
    answers = _IS_ANSWER[outcome] & opened
    minutes = np.minimum(-(-spell // MINUTE), ANSWER_MINUTES)
    return {
        "outcomes": np.bincount(outcome, minlength=len(codes.OUTCOMES)),
        "blockers": np.bincount(blocker + 1, minlength=len(codes.BLOCKERS) + 1),
        "p_success": np.array([made.decided.p_success[rows].sum(dtype=float)]),
        "answered": np.bincount(minutes[answers], minlength=ANSWER_MINUTES + 1),
        "unanswered": np.bincount(minutes[opened & ~answers], minlength=ANSWER_MINUTES + 1),
    }


def _of_orders(plan: Plan, lives: Lives) -> Sums:
    o, made = lives.orders, lives.requests
    paid = o.paid <= plan.as_of
    asked = np.zeros(len(o), bool)
    late = made.at - o.paid[made.row]
    within = (late >= 0) & (late <= HORIZON_HOURS * HOUR) & (made.by == PARTY["buyer"])
    asked[made.row[within]] = True
    shuts = np.minimum(o.shipped, o.ended) - o.paid
    still = [np.count_nonzero(paid & (shuts > hours * HOUR)) for hours in WINDOW_HOURS]
    ends = np.bincount(o.end[np.flatnonzero(paid)], minlength=len(codes.ORDER_ENDS))
    return {
        "paid": np.array([np.count_nonzero(paid), np.count_nonzero(paid & asked)]),
        "window": np.array(still),
        "ends": ends,
        "placed": np.array([np.count_nonzero(o.placed <= plan.as_of)]),
        "unpaid": np.array([np.count_nonzero((o.placed <= plan.as_of) & (o.paid == NEVER))]),
    }


def _of_refunds(plan: Plan, lives: Lives) -> Sums:
    legs = lives.refunds
    due = legs.decided <= plan.as_of
    method, spell = legs.method[due].astype(np.int64), legs.credited[due] - legs.decided[due]
    bins = np.minimum(spell // BIN, REFUND_BINS)
    n = len(codes.REFUND_METHODS)
    counts = np.bincount(method * (REFUND_BINS + 1) + bins, minlength=n * (REFUND_BINS + 1))
    capped = np.minimum(spell, MEAN_DAYS * DAY)
    within = [np.bincount(method[spell <= d * DAY], minlength=n) for d in REFUND_DAYS]
    return {
        "refund_bins": counts.reshape(n, REFUND_BINS + 1),
        "refund_within": np.array(within),
        "refund_capped": np.bincount(method, capped, n),
    }


def estimands(total: Sums) -> list[dict[str, Any]]:
    """Every estimand: ``name, value, n, unit, definition``, and ``method`` where it has one."""
    return [
        *_request_estimands(total),
        *_order_estimands(total),
        *_answer_estimands(total),
        *_refund_estimands(total),
    ]


def _row(name: str, value: float, n: int, unit: str, definition: str, **more: str) -> dict:
    known = value if n else None
    return {"name": name, "value": known, "n": n, "unit": unit, "definition": definition, **more}


def _share(name: str, events: float, n: int, definition: str, **more: str) -> dict:
    return _row(name, float(events) / max(int(n), 1), int(n), "share", definition, **more)


def _request_estimands(total: Sums) -> list[dict[str, Any]]:
    outcomes, n = total["outcomes"], int(total["outcomes"].sum())
    within = f"within {HORIZON_HOURS} hours of asking"
    rows = [
        _share(
            "success_rate",
            outcomes[SUCCESS].sum(),
            n,
            f"Buyers' requests on record that cancelled the order {within}.",
        ),
        _share(
            "success_probability",
            total["p_success"][0],
            n,
            "Mean probability, at submit, that a buyer's request on record would cancel the "
            "order: over the seller's answer and the buyer's patience, the order's own path given.",
        ),
    ]
    for word, count in zip(codes.OUTCOMES, outcomes, strict=True):
        text = f"Buyers' requests on record that ended as {word} {within}."
        if word == codes.PENDING:
            text = f"Buyers' requests on record that were undecided {HORIZON_HOURS} hours on."
        rows.append(_share("outcome_share", count, n, text, outcome=word))
    for word, count in zip(codes.BLOCKERS, total["blockers"][1:], strict=True):
        text = f"Buyers' requests on record that {word} stopped first, {within}."
        rows.append(_share("blocker_share", count, n, text, blocker=word))
    return rows


def _order_estimands(total: Sums) -> list[dict[str, Any]]:
    paid, asked = total["paid"]
    text = f"Paid orders on record whose buyer asked within {HORIZON_HOURS} hours of paying."
    rows = [_share("request_rate", asked, paid, text)]
    for hours, count in zip(WINDOW_HOURS, total["window"], strict=True):
        text = f"Paid orders on record neither shipped nor ended {hours} hours after paying."
        rows.append(_share("window_open", count, paid, text, hours=str(hours)))
    for word, count in zip(codes.ORDER_ENDS, total["ends"], strict=True):
        text = f"Paid orders on record that eventually ended as {word}."
        rows.append(_share("paid_order_end", count, paid, text, end_code=word))
    text = "Orders on record that were never paid."
    return [*rows, _share("unpaid_share", total["unpaid"][0], total["placed"][0], text)]


def _answer_estimands(total: Sums) -> list[dict[str, Any]]:
    answered, others = total["answered"], total["unanswered"]
    n = int(answered.sum() + others.sum())
    at_risk = n - np.concatenate([[0], np.cumsum(answered + others)[:-1]])
    unanswered = np.cumprod(1 - answered / np.maximum(at_risk, 1))
    text = (
        "Buyers' open requests that the seller answered within {} hours, other ends taken as "
        "censored (product limit over complete histories, whole minutes)."
    )
    return [
        _row("answered", 1 - unanswered[h * 60], n, "share", text.format(h), hours=str(h))
        for h in ANSWER_HOURS
    ]


def _refund_estimands(total: Sums) -> list[dict[str, Any]]:
    rows = []
    everything = range(len(codes.REFUND_METHODS))
    groups = {"": list(everything), **{codes.REFUND_METHODS[i]: [i] for i in everything}}
    for method, members in groups.items():
        bins = total["refund_bins"][members].sum(axis=0)
        n = int(bins.sum())
        if n == 0:
            continue
        more = {"method": method} if method else {}
        what = f"Refund legs on record{f' by {method}' if method else ''}"
        for days, counts in zip(REFUND_DAYS, total["refund_within"], strict=True):
            text = f"{what} credited within {days} days of the decision."
            rows.append(
                _share("refund_credited", counts[members].sum(), n, text, days=str(days), **more)
            )
        half = int(np.searchsorted(np.cumsum(bins), n / 2))
        text = f"{what}: median time from decision to credit, to {BIN // MINUTE} minutes."
        rows.append(_row("refund_median", (half + 0.5) * BIN / DAY, n, "days", text, **more))
        mean = total["refund_capped"][members].sum() / n / DAY
        text = f"{what}: mean time from decision to credit, restricted to {MEAN_DAYS} days."
        rows.append(_row("refund_mean", float(mean), n, "days", text, **more))
    return rows

"""The answer about one order: why it could not be cancelled, and until when it could have been."""

from __future__ import annotations

import pandas as pd

from analysis.contract import codes
from analysis.plots.card import NEVER
from analysis.plots.labels import label, quoted
from analysis.plots.numbers import moment, span
from analysis.report.say.words import listing, nothing, sentences

# blocker -> why, and what happened at the moment since which it stood
BECAUSE = {
    "already_cancelled": ("it had already been cancelled", "it ended"),
    "delivered_or_completed": ("it had already been delivered", "it was delivered"),
    "dispute_or_case_open": ("a dispute about it was open", "the dispute was opened"),
    "return_in_progress": ("a return of it was under way", "the return began"),
    "chargeback_open": ("the payment was being charged back", "the chargeback began"),
    "order_frozen": ("the platform had frozen it", "it was frozen"),
    "already_shipped": ("it had already been shipped", "tracking was uploaded"),
    "partially_shipped": ("a part of it had already been shipped", "tracking was uploaded"),
    "payment_under_review": ("its payment was still being verified", "it was paid"),
    "request_already_open": ("an earlier request was still open", "that one was made"),
    "request_limit_reached": ("no further request was allowed", "the limit was reached"),
    "non_cancellable_goods": ("goods of this kind cannot be cancelled", "it was placed"),
    "packed_or_label_created": ("it was already packed or labelled", "it was packed"),
    "cancel_window_elapsed": ("the time allowed for cancelling had passed", "that time ended"),
    "line_not_eligible_whole_order_only": ("only the whole order can be cancelled", "it stood"),
    "channel_not_supported": ("orders of this channel cannot be cancelled here", "it stood"),
    "buyer_account_issue": ("something was wrong with the buyer's account", "that began"),
    "reason_not_valid_for_state": ("the reason given is not accepted at this stage", "it stood"),
    "seller_rejected": ("the seller refused", "the refusal came"),
    "shipped_during_request": (
        "the seller shipped it while the request was open",
        "tracking was uploaded",
    ),
    "seller_silent_not_cancelled": (
        "the seller did not answer, and silence does not cancel",
        "the time to answer ended",
    ),
}
WENT = {  # outcome without a rule -> what became of the order, what became of the request
    "instant_cancelled": ("was cancelled at once", "cancelled it at once"),
    "approved_by_seller": ("was cancelled: the seller approved", "worked: the seller approved"),
    "auto_approved_timeout": (
        "was cancelled: the seller let the deadline pass",
        "worked: the seller let the deadline pass",
    ),
    "withdrawn_by_buyer": (
        "was not cancelled: the buyer withdrew the request",
        "was withdrawn by the buyer",
    ),
    "preempted": (
        "was not cancelled by this request: the order ended otherwise first",
        "came to nothing: the order ended otherwise first",
    ),
    "pending": ("is not cancelled so far: the request is still open", "is still open"),
}


def say_why_not(table: pd.DataFrame) -> str:
    """Return why an order could not be cancelled, for the result of ``why_not``.

    The request that decided comes first: the one that worked, else the last one.
    """
    if table.empty:
        return nothing("this order")
    order = f"order {quoted(table['order_id'].iloc[0])}" if "order_id" in table else "this order"
    until = table["cancellable_until"].max()
    asked = table.dropna(subset="requested_at")
    if asked.empty:
        return sentences(f"Nobody asked to cancel {order}.", _until(until))
    requests = [rows for _, rows in asked.groupby("request_id", sort=False, dropna=False)]
    worked = [i for i, rows in enumerate(requests) if rows["outcome"].iloc[0] in codes.SUCCESS]
    decisive = worked[-1] if worked else len(requests) - 1
    main = requests[decisive]
    return sentences(
        _answer(main, order),
        "" if worked else _closing(main, until),
        *(_before(rows, "an earlier") for rows in requests[:decisive]),
        *(_before(rows, "a later") for rows in requests[decisive + 1 :]),
    )


def _answer(rows: pd.DataFrame, order: str) -> str:
    """Return what became of the order, and because of which rules."""
    first, *others = _reasons(rows)
    if not first:
        outcome = rows["outcome"].iloc[0]
        return f"{order} {WENT.get(outcome, (f'was not cancelled: {label(str(outcome))}',))[0]}."
    also = f" Besides, {listing(others)}." if others else ""
    return f"{order} could not be cancelled because {first}.{also}"


def _before(rows: pd.DataFrame, which: str) -> str:
    """Return what became of a request that did not decide."""
    first, *_ = _reasons(rows)
    outcome = rows["outcome"].iloc[0]
    went = WENT.get(outcome, ("", f"ended as {label(str(outcome))}"))[1]
    words = f"failed because {first}" if first else went
    return f"{which} request, of {moment(rows['requested_at'].iloc[0])}, {words}."


def _reasons(rows: pd.DataFrame) -> list[str]:
    """Return the rules that a request met, in order, as clauses; an empty one if it met none."""
    met = rows.dropna(subset="blocker").sort_values("rank", kind="stable")
    return [_because(row) for _, row in met.iterrows()] or [""]


def _because(row: pd.Series) -> str:
    why, event = BECAUSE.get(row["blocker"], (f"of the rule {quoted(row['blocker'])}", "it stood"))
    since = row["stood_since"]
    if pd.isna(since) or row["blocker"] == NEVER:
        return why
    return f"{why}: {event} on {moment(since)}, {_relative(since, row['requested_at'])}"


def _relative(since: pd.Timestamp, asked: pd.Timestamp) -> str:
    seconds = (asked - since).total_seconds()
    if seconds == 0:
        return "the moment of the request"
    return f"{span(abs(seconds))} {'before' if seconds > 0 else 'after'} the request"


def _closing(rows: pd.DataFrame, until: pd.Timestamp) -> str:
    """Return until when the order could be cancelled, in as few words as what was said allows."""
    rules = rows.dropna(subset="blocker")
    if (rules["blocker"] == NEVER).any():
        return "It could never be cancelled."
    named = rules.sort_values("rank", kind="stable")["stood_since"].dropna()
    if pd.notna(until) and len(named) and named.iloc[-1] == until:
        return "Until then it could have been cancelled."
    return _until(until)


def _until(until: pd.Timestamp) -> str:
    if pd.isna(until):
        return "As far as this data goes, it can still be cancelled."
    return f"It could have been cancelled until {moment(until)}."

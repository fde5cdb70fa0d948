"""Import of the Olist Brazilian e-commerce data (Kaggle ``olistbr/brazilian-ecommerce``).

Real orders of 2016 to 2018 with the way they ended. Nobody's requests to cancel, refunds or
reasons are in it: the dataset has an empty table of requests and no tables of refunds. Licence
of the data: CC BY-NC-SA 4.0, not for commercial use.

Either the complete files lie in one folder, as Kaggle gives them, or ``case_cohort/`` has every
order that was not delivered with a sample of the delivered ones, and ``official_full_tables/``
the payments of all orders. Then ``weight`` makes the sample stand for the population
(post-stratification by payment method: Holt and Smith 1979).
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pandas as pd
import pyarrow as pa

from analysis.contract import ContractError, Manifest, arrow_schema
from analysis.sources.importers.exports import Export, moments, numbers, read_exports
from analysis.sources.writing import write_dataset

ZONE = "America/Sao_Paulo"  # the export's local times name no zone
COUNTRY, CURRENCY, MINOR_UNITS = "BR", "BRL", 100
COHORT, FULL = "case_cohort", "official_full_tables"

ORDER_COLUMNS = (
    "order_id customer_id order_status order_purchase_timestamp order_approved_at "
    "order_delivered_carrier_date order_delivered_customer_date"
)
EXPORTS = (
    Export("orders", "olist_orders_dataset", tuple(ORDER_COLUMNS.split())),
    Export(
        "items",
        "olist_order_items_dataset",
        ("order_id", "order_item_id", "product_id", "seller_id", "shipping_limit_date"),
    ),
    Export(
        "payments",
        "olist_order_payments_dataset",
        ("order_id", "payment_type", "payment_value"),
    ),
    Export("customers", "olist_customers_dataset", ("customer_id", "customer_unique_id")),
    Export("sellers", "olist_sellers_dataset", ("seller_id",)),
    Export("products", "olist_products_dataset", ("product_id", "product_category_name")),
    Export(
        "translation",
        "product_category_name_translation",
        ("product_category_name", "product_category_name_english"),
    ),
)

END_CODES = {  # order_status -> how the order ended; the others had not ended
    "delivered": "completed",
    "canceled": "cancelled",
    "unavailable": "unavailable",
}
OPEN_STATUSES = ("created", "approved", "invoiced", "processing", "shipped")

PAYMENT_METHODS = {  # first match is the method of an order paid in several ways
    "credit_card": "card",
    "debit_card": "debit_card",
    "boleto": "cash_voucher",
    "voucher": "gift_card",
    "not_defined": "other",
}

# (later, earlier, which of the two is taken for wrong when they are the wrong way round)
ORDER_OF_TIMES = (
    ("paid_at", "placed_at", "paid_at"),
    ("ship_by_at", "placed_at", "ship_by_at"),
    ("shipped_at", "placed_at", "shipped_at"),
    ("delivered_at", "placed_at", "delivered_at"),
    ("delivered_at", "shipped_at", "shipped_at"),
)
HAPPENED = ("placed_at", "paid_at", "shipped_at", "delivered_at")

SOURCE = (
    "Olist Brazilian e-commerce, real orders (Kaggle olistbr/brazilian-ecommerce); "
    "licence CC BY-NC-SA 4.0: not for commercial use, share alike"
)
ALWAYS_NOTED = (
    "Requests to cancel, their outcomes, refunds, reasons and blockers are not in this data: it "
    "cannot answer how often a cancellation succeeds, why not, or how long money takes.",
    "A cancelled order has no date of cancellation and nobody who cancelled it: end_code is "
    "cancelled, ended_at is missing. unavailable (out of stock) is kept apart from cancelled.",
    f"Times were local without a zone and are read as {ZONE}; in the hour that a change of "
    "clocks repeats the first is meant, and an hour that it skips is taken as its end.",
)


class _Orders(NamedTuple):
    """Orders as they are built, and what must be told about them."""

    frame: pd.DataFrame
    notes: list[str]


def import_olist(folder: str | Path, out: str | Path, as_of: None = None) -> Manifest:
    """Turn the Olist files into a dataset folder.

    Parameters
    ----------
    folder
        Has the CSV (or Parquet) files of Kaggle, or the folders ``case_cohort`` and
        ``official_full_tables``.
    out
        Dataset folder that is made, or replaced once the new one is complete.
    as_of
        Not to be given: observation ends with the last event in the files.

    Returns
    -------
    Manifest
        What was written; ``notes`` says what was repaired and what the data cannot answer.

    Raises
    ------
    ContractError
        ``folder`` is not this export: files or columns are missing, or values are not readable.
    ValueError
        ``as_of`` is given.
    """
    if as_of is not None:
        raise ValueError(f"as_of is the last event in the files of Olist: leave out {as_of}")
    folder = Path(folder)
    if folder.name == COHORT:  # alone it would look complete, and be 12 times too often cancelled
        raise ContractError(f"give the folder above {COHORT}, which has {FULL} too")
    files = read_exports(folder, EXPORTS, [".", FULL, COHORT])
    orders = _orders(files.frames)
    methods = _method_of_order(files.frames["payments"])
    if files.folders["orders"] == COHORT:
        orders = _weighted(orders, methods)
    else:
        orders = _with_strangers_noted(orders, methods)
    as_of = orders.frame[list(HAPPENED)].max().max()
    if pd.isna(as_of):
        raise ContractError(f"{folder} has no orders with a time")
    sellers = pd.DataFrame({"seller_id": files.frames["sellers"].seller_id.unique()})
    frames = {
        "sellers": sellers.assign(seller_country=COUNTRY),
        "orders": pa.Table.from_pandas(orders.frame, preserve_index=False),
        "requests": arrow_schema("requests", text_ids=True).empty_table(),
    }
    notes = (*ALWAYS_NOTED, *orders.notes)
    about = {"source": SOURCE, "notes": notes, "made_with": {"importer": "olist"}}
    return write_dataset(out, frames, as_of=as_of, **about)


def _orders(files: dict[str, pd.DataFrame]) -> _Orders:
    raw = files["orders"]
    times = {
        "placed_at": raw.order_purchase_timestamp,
        "paid_at": raw.order_approved_at,
        "shipped_at": raw.order_delivered_carrier_date,
        "delivered_at": raw.order_delivered_customer_date,
    }
    frame = pd.DataFrame({"order_id": raw.order_id, "end_code": _end_codes(raw.order_status)})
    buyers = files["customers"].drop_duplicates("customer_id").set_index("customer_id")
    frame["buyer_id"] = raw.customer_id.map(buyers.customer_unique_id)
    for column, texts in times.items():
        frame[column] = moments(f"orders.{texts.name}", texts, ZONE)
    methods, amounts = _method_of_order(files["payments"]), _amount_of_order(files["payments"])
    frame["payment_method"] = frame.order_id.map(methods).fillna("other")
    frame["amount_minor"] = frame.order_id.map(amounts).fillna(0).astype("int64")
    frame = frame.merge(_first_items(files), on="order_id", how="left")
    notes = _notes_on_items(frame, files["items"])
    frame["n_items"] = frame.n_items.fillna(1).astype("int64")
    frame["category"] = frame.category.fillna("unknown")
    frame = frame.assign(buyer_country=COUNTRY, currency=CURRENCY)
    repairs = _repair_times(frame)
    frame["ended_at"] = frame.delivered_at.where(frame.end_code == "completed")
    unpaid = int((~frame.order_id.isin(methods.index)).sum())
    if unpaid:
        notes.append(f"{unpaid:,} orders have no payment: method other, amount 0.")
    notes += _notes_on_payments(files["payments"], frame)
    return _Orders(frame, [*notes, *repairs])


def _end_codes(statuses: pd.Series) -> pd.Series:
    unknown = sorted(set(statuses.dropna()) - set(END_CODES) - set(OPEN_STATUSES))
    if unknown or statuses.isna().any():
        raise ContractError(
            f"orders.order_status must be one of {', '.join([*END_CODES, *OPEN_STATUSES])}, "
            f"got {', '.join(unknown) or 'an empty one'}"
        )
    return statuses.map(END_CODES)


def _method_of_order(payments: pd.DataFrame) -> pd.Series:
    """Return the payment method of every order that paid, by ``order_id``."""
    ranks = {kind: rank for rank, kind in enumerate(PAYMENT_METHODS)}
    unknown = sorted(set(payments.payment_type.dropna()) - set(ranks))
    if unknown:
        raise ContractError(
            f"payments.payment_type must be one of {', '.join(ranks)}, got {', '.join(unknown)}"
        )
    first = payments.payment_type.map(ranks).groupby(payments.order_id).min()
    return first.map(dict(enumerate(PAYMENT_METHODS.values()))).fillna("other")


def _amount_of_order(payments: pd.DataFrame) -> pd.Series:
    """Return what every order paid in minor units, by ``order_id``; missing if nowhere said."""
    values = numbers("payments.payment_value", payments.payment_value)
    return (values.groupby(payments.order_id).sum(min_count=1) * MINOR_UNITS).round()


def _notes_on_payments(payments: pd.DataFrame, orders: pd.DataFrame) -> list[str]:
    own = payments[payments.order_id.isin(orders.order_id)]
    gaps = own[["payment_value", "payment_type"]].isna().groupby(own.order_id)
    valueless, typeless = int(gaps.payment_value.any().sum()), int(gaps.payment_type.any().sum())
    notes = []
    if valueless:
        notes.append(
            f"{valueless:,} orders have a payment without payment_value: their amount is what "
            "their other payments add up to, 0 if there are none."
        )
    if typeless:
        notes.append(
            f"{typeless:,} orders have a payment without payment_type: their method is that of "
            "their other payments, other if there are none."
        )
    return notes


def _first_items(files: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Return one row per order with items: its number of items and the facts of the first."""
    items = files["items"]
    items = items.assign(place=numbers("items.order_item_id", items.order_item_id))
    items = items.sort_values(["order_id", "place"], kind="stable")
    first = items.drop_duplicates("order_id")
    products = files["products"].drop_duplicates("product_id").set_index("product_id")
    names = files["translation"].drop_duplicates("product_category_name")
    english = names.set_index("product_category_name").product_category_name_english
    local = first.product_id.map(products.product_category_name)
    return pd.DataFrame(
        {
            "order_id": first.order_id,
            "seller_id": first.seller_id,
            "category": local.map(english).fillna(local),
            "ship_by_at": moments("items.shipping_limit_date", first.shipping_limit_date, ZONE),
            "n_items": first.order_id.map(items.groupby("order_id").size()),
        }
    )


def _notes_on_items(frame: pd.DataFrame, items: pd.DataFrame) -> list[str]:
    notes = []
    bare = int(frame.n_items.isna().sum())
    if bare:
        notes.append(
            f"{bare:,} orders have no items in the export: their seller is missing, their "
            "category unknown, and n_items is 1, the least an order can have."
        )
    own = items[items.order_id.isin(frame.order_id)]
    sellers = own[["order_id", "seller_id"]].drop_duplicates()
    several = int((sellers.groupby("order_id").size() > 1).sum())
    if several:
        notes.append(f"{several:,} orders have several sellers: that of the first item is kept.")
    return notes


def _repair_times(frame: pd.DataFrame) -> list[str]:
    """Blank times that cannot be, in place; return a sentence for each kind."""
    notes = []
    for later, earlier, wrong in ORDER_OF_TIMES:
        broken = frame[later] < frame[earlier]
        if broken.any():
            frame.loc[broken, wrong] = pd.NaT
            notes.append(
                f"{int(broken.sum()):,} orders had {later} before {earlier}: "
                f"their {wrong} was taken for wrong and is missing."
            )
    return notes


def _weighted(orders: _Orders, methods: pd.Series) -> _Orders:
    """Make dated delivered orders stand for all delivered orders of their payment method.

    All others are complete in the cohort and stand for themselves.
    """
    frame = orders.frame
    sampled = frame.ended_at.notna() & frame.order_id.isin(methods.index)
    alone = frame[~sampled & frame.order_id.isin(methods.index)]
    absent = methods.value_counts().sub(alone.payment_method.value_counts(), fill_value=0)
    drawn = frame[sampled].payment_method.value_counts().reindex(absent.index, fill_value=0)
    if (absent < drawn).any() or ((absent > 0) & (drawn == 0)).any():
        raise ContractError(
            f"{COHORT} cannot be weighted: delivered orders by payment method are "
            f"{absent.astype(int).to_dict()} in all payments, {drawn.to_dict()} in the cohort"
        )
    factor = (absent / drawn)[drawn > 0]
    weight = frame.payment_method.map(factor).where(sampled, 1.0)
    note = (
        f"The orders are a cohort: every order that was not delivered, and {int(sampled.sum()):,} "
        f"of the {int(absent.sum()):,} with a date of delivery, each standing for "
        f"{factor.min():.1f} to {factor.max():.1f} orders of its payment method (column weight). "
        "Shares by end and payment method are exact for the population; others are estimates, "
        "and counts without the weight mean nothing."
    )
    return _Orders(frame.assign(weight=weight), [note, *orders.notes])


def _with_strangers_noted(orders: _Orders, methods: pd.Series) -> _Orders:
    strangers = int((~methods.index.isin(orders.frame.order_id)).sum())
    if not strangers:
        return orders
    note = (
        f"The file of orders is a part: {strangers:,} orders that paid are not in it. Shares are "
        "those of the part, which need not be those of all orders."
    )
    return _Orders(orders.frame, [note, *orders.notes])

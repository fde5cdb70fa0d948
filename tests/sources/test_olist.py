"""The Olist importer: a tiny hand-made export, and the real one where it is on this machine."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from analysis import order_end_shares
from analysis.contract import ContractError, read_manifest
from analysis.sources import check, check_files, collect, open_tables
from analysis.sources.importers import import_olist

ORDERS = """
order_id,customer_id,order_status,order_purchase_timestamp,order_approved_at,order_delivered_carrier_date,order_delivered_customer_date
d1,c1,delivered,2018-01-10 10:00:00,2018-01-10 11:00:00,2018-01-11 09:00:00,2018-01-15 09:00:00
d2,c2,delivered,2018-01-10 10:00:00,2018-01-10 11:00:00,2018-01-10 09:00:00,
x1,c3,canceled,2018-01-12 10:00:00,,,
u1,c4,unavailable,2018-06-12 10:00:00,2018-06-12 10:30:00,,
s1,c1,shipped,2018-06-20 23:30:00,2018-06-20 23:40:00,2018-06-22 08:00:00,
"""
ITEMS = """
order_id,order_item_id,product_id,seller_id,shipping_limit_date,price,freight_value
d1,2,p2,shop2,2018-01-13 10:00:00,5.00,1.00
d1,1,p1,shop1,2018-01-14 10:00:00,5.00,1.00
d2,1,p2,shop1,2018-01-14 10:00:00,5.00,1.00
s1,1,p3,shop2,2018-06-28 10:00:00,5.00,1.00
"""
PAYMENTS = """
order_id,payment_sequential,payment_type,payment_installments,payment_value
d1,1,voucher,1,4.10
d1,2,credit_card,1,8.15
d2,1,boleto,1,1.15
x1,1,voucher,1,3.00
u1,1,debit_card,1,2.50
s1,1,credit_card,3,10.00
"""
CUSTOMERS = """
customer_id,customer_unique_id,customer_zip_code_prefix,customer_city,customer_state
c1,anna,01000,sao paulo,SP
c2,bia,01000,sao paulo,SP
c3,caio,01000,sao paulo,SP
c4,anna,01000,sao paulo,SP
"""
SELLERS = "seller_id,seller_zip_code_prefix\nshop1,01000\nshop2,02000\n"
PRODUCTS = "product_id,product_category_name\np1,beleza_saude\np2,pc_gamer\np3,\n"
TRANSLATION = (
    "\ufeffproduct_category_name,product_category_name_english\nbeleza_saude,health_beauty\n"
)
FILES = {
    "olist_orders_dataset": ORDERS,
    "olist_order_items_dataset": ITEMS,
    "olist_order_payments_dataset": PAYMENTS,
    "olist_customers_dataset": CUSTOMERS,
    "olist_sellers_dataset": SELLERS,
    "olist_products_dataset": PRODUCTS,
    "product_category_name_translation": TRANSLATION,
}


def export(folder: Path, **changed: str) -> Path:
    """Write the seven files; ``orders=...`` replaces the one whose name has that word."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in FILES.items():
        own = next((new for word, new in changed.items() if f"olist_{word}_" in name), text)
        (folder / f"{name}.csv").write_text(own.lstrip("\n"), encoding="utf-8")
    return folder


def orders_of(dataset: Path) -> pd.DataFrame:
    return collect(open_tables(dataset).orders).set_index("order_id")


@pytest.fixture
def imported(tmp_path: Path) -> Path:
    import_olist(export(tmp_path / "kaggle"), tmp_path / "out")
    return tmp_path / "out"


def test_a_complete_export_becomes_a_dataset_that_keeps_the_contract(imported):
    opened = open_tables(imported)
    assert check(opened).n_broken.sum() == 0
    assert check_files(imported).empty
    assert set(opened.frames) == {"sellers", "orders", "requests"}
    assert opened.manifest.n_rows == {"sellers": 2, "orders": 5, "requests": 0}
    assert not opened.manifest.synthetic
    assert "weight" not in opened.orders.columns


def test_statuses_become_ends_and_a_cancellation_stays_undated(imported):
    orders = orders_of(imported)
    assert orders.end_code.fillna("open").to_dict() == {
        "d1": "completed",
        "d2": "completed",
        "x1": "cancelled",
        "u1": "unavailable",
        "s1": "open",
    }
    assert orders.ended_at.notna().to_dict() == {
        "d1": True,
        "d2": False,  # delivered without a date
        "x1": False,
        "u1": False,
        "s1": False,
    }


def test_times_are_brazilian_and_the_summer_of_2018_ends_in_february(imported):
    orders = orders_of(imported)
    assert orders.placed_at["d1"] == pd.Timestamp("2018-01-10T12:00Z")  # UTC-2 in summer
    assert orders.placed_at["u1"] == pd.Timestamp("2018-06-12T13:00Z")  # UTC-3 else
    assert open_tables(imported).as_of == pd.Timestamp("2018-06-22T11:00Z")  # last: s1 shipped


def test_clocks_that_change_are_read_the_same_way_every_time(tmp_path):
    twice = "2018-02-17 23:30:00"  # again an hour later: the first is meant, at UTC-2
    never = "2017-10-15 00:30:00"  # clocks went from 0:00 to 1:00, which is 03:00 UTC
    orders = ORDERS.replace("2018-06-20 23:30:00", twice).replace("2018-01-12 10:00:00", never)
    import_olist(export(tmp_path / "kaggle", orders=orders), tmp_path / "out")
    placed = orders_of(tmp_path / "out").placed_at
    assert placed["s1"] == pd.Timestamp("2018-02-18T01:30Z")
    assert placed["x1"] == pd.Timestamp("2017-10-15T03:00Z")


def test_money_is_the_sum_of_payments_and_the_method_what_is_not_a_voucher(imported):
    orders = orders_of(imported)
    assert orders.amount_minor.to_dict() == {
        "d1": 1225,
        "d2": 115,  # 1.15 * 100 is 114.99999999999999
        "x1": 300,
        "u1": 250,
        "s1": 1000,
    }
    assert orders.payment_method.to_dict() == {
        "d1": "card",  # and a voucher
        "d2": "cash_voucher",
        "x1": "gift_card",
        "u1": "debit_card",
        "s1": "card",
    }
    assert set(orders.currency) == {"BRL"}


def test_items_give_seller_and_category_and_an_order_without_any_is_kept(imported):
    orders = orders_of(imported)
    assert orders.seller_id.fillna("").to_dict() == {
        "d1": "shop1",
        "d2": "shop1",
        "x1": "",
        "u1": "",
        "s1": "shop2",
    }
    assert orders.category.to_dict() == {
        "d1": "health_beauty",
        "d2": "pc_gamer",  # no translation
        "x1": "unknown",  # no item
        "u1": "unknown",
        "s1": "unknown",  # a product without category
    }
    assert orders.n_items.to_dict() == {"d1": 2, "d2": 1, "x1": 1, "u1": 1, "s1": 1}
    assert orders.ship_by_at["d1"] == pd.Timestamp("2018-01-14T12:00Z")  # of the first item
    assert orders.buyer_id["d1"] == orders.buyer_id["u1"] == "anna"


def test_payments_without_a_value_or_a_type_are_told(tmp_path):
    payments = PAYMENTS.replace("boleto,1,1.15", "boleto,1,").replace("8.15", "")
    payments = payments.replace("x1,1,voucher", "x1,1,")
    import_olist(export(tmp_path / "kaggle", order_payments=payments), tmp_path / "out")
    orders = orders_of(tmp_path / "out")
    assert orders.amount_minor[["d1", "d2", "x1"]].tolist() == [410, 0, 300]
    assert orders.payment_method[["d1", "d2", "x1"]].tolist() == ["card", "cash_voucher", "other"]
    notes = " ".join(read_manifest(tmp_path / "out").notes)
    assert "2 orders have a payment without payment_value" in notes
    assert "1 orders have a payment without payment_type" in notes
    assert "have no payment:" not in notes


def test_what_was_repaired_and_what_is_not_there_is_told(imported):
    assert orders_of(imported).shipped_at.notna().to_dict() == {
        "d1": True,
        "d2": False,  # handed over an hour before it was placed
        "x1": False,
        "u1": False,
        "s1": True,
    }
    notes = " ".join(read_manifest(imported).notes)
    for fact in (
        "1 orders had shipped_at before placed_at: their shipped_at was taken for wrong",
        "2 orders have no items",
        "1 orders have several sellers",
        "refunds, reasons and blockers are not in this data",
        "America/Sao_Paulo",
    ):
        assert fact in notes
    assert "CC BY-NC-SA 4.0" in read_manifest(imported).source


def cohort(folder: Path, full_payments: str) -> Path:
    """Lay the tiny export out as a cohort with the payments of all orders beside it."""
    export(folder / "case_cohort")
    (folder / "official_full_tables").mkdir()
    pd.DataFrame(
        [line.split(",") for line in full_payments.split()],
        columns=["order_id", "payment_type", "payment_value"],
    ).to_parquet(folder / "official_full_tables" / "olist_order_payments_dataset.parquet")
    return folder


POPULATION = """
d1,voucher,4.10 d1,credit_card,8.15 d2,boleto,6 x1,voucher,3 u1,debit_card,2.5 s1,credit_card,10
d3,credit_card,1 d4,credit_card,1 d5,credit_card,1
"""


def test_a_cohort_stands_for_the_population_by_payment_method(tmp_path):
    import_olist(cohort(tmp_path / "olist", POPULATION), tmp_path / "out")
    assert orders_of(tmp_path / "out").weight.to_dict() == {
        "d1": 4.0,  # card: 5 orders paid so, less s1 that was not delivered; one was drawn
        "d2": 1.0,  # without a date of delivery
        "x1": 1.0,
        "u1": 1.0,
        "s1": 1.0,
    }
    assert "each standing for 4.0 to 4.0 orders" in read_manifest(tmp_path / "out").notes[3]


def test_a_cohort_that_cannot_stand_for_the_population_is_refused(tmp_path):
    folder = cohort(tmp_path / "olist", POPULATION + " d6,debit_card,1")
    with pytest.raises(ContractError, match="cannot be weighted.*debit_card"):
        import_olist(folder, tmp_path / "out")
    with pytest.raises(ContractError, match="give the folder above case_cohort"):
        import_olist(folder / "case_cohort", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_part_of_the_orders_is_imported_and_says_that_it_is_one(tmp_path):
    folder = export(tmp_path / "kaggle", order_payments=PAYMENTS + "zz,1,boleto,1,1.00\n")
    import_olist(folder, tmp_path / "out")
    assert "1 orders that paid are not in it" in " ".join(read_manifest(tmp_path / "out").notes)


def test_an_order_that_paid_nothing_is_kept_and_told(tmp_path):
    payments = PAYMENTS.replace("u1,1,debit_card,1,2.50\n", "")
    import_olist(export(tmp_path / "kaggle", order_payments=payments), tmp_path / "out")
    orders = orders_of(tmp_path / "out")
    assert (orders.payment_method["u1"], orders.amount_minor["u1"]) == ("other", 0)
    assert "1 orders have no payment" in " ".join(read_manifest(tmp_path / "out").notes)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"orders": ""}, "olist_orders_dataset.csv cannot be read"),
        ({"orders": ORDERS.replace("order_status", "state")}, "lacks the columns order_status"),
        ({"orders": ORDERS.replace("canceled", "gone")}, "order_status must be one of .* got gone"),
        ({"orders": ORDERS.replace("2018-01-12", "12 Jan")}, "order_purchase_timestamp must be"),
        ({"orders": ORDERS.replace("x1,c3", "d1,c3")}, "order_id is unique: 1 rows"),
        ({"orders": ORDERS.split("d1")[0]}, "has no orders with a time"),
        ({"order_payments": PAYMENTS.replace("boleto", "pix")}, "payment_type must be .* got pix"),
        ({"order_payments": PAYMENTS.replace("1.15", "six")}, "payment_value must be numbers"),
        ({"order_payments": PAYMENTS.replace("1.15", "inf")}, "payment_value must be .* got 'inf'"),
        ({"orders": ORDERS.replace("2018-06-22", "22.6.2018")}, "local time .* got '22.6.2018 08"),
        ({"order_items": ITEMS.replace("d1,2", "d1,b")}, "order_item_id must be numbers"),
        ({"order_items": ITEMS.replace("shop2", "shop9")}, "seller_id is found in sellers: 1 rows"),
        ({"customers": CUSTOMERS.replace("c4", "c9")}, "buyer_id is never null: 1 rows"),
    ],
)
def test_what_is_wrong_with_an_export_is_one_clear_error(tmp_path, changed, message):
    with pytest.raises(ContractError, match=message):
        import_olist(export(tmp_path / "kaggle", **changed), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_as_of_cannot_be_chosen(tmp_path):
    with pytest.raises(ValueError, match="leave out 2018-09-01"):
        import_olist(export(tmp_path / "kaggle"), tmp_path / "out", as_of="2018-09-01")


def test_a_wrong_folder_names_everything_that_is_missing(tmp_path):
    with pytest.raises(ContractError, match="there is no folder"):
        import_olist(tmp_path / "nowhere", tmp_path / "out")
    folder = export(tmp_path / "kaggle")
    (folder / "olist_orders_dataset.csv").unlink()
    (folder / "olist_sellers_dataset.csv").unlink()
    with pytest.raises(ContractError, match="lacks olist_orders_dataset, olist_sellers_dataset"):
        import_olist(folder, tmp_path / "out")


@pytest.fixture(scope="module")
def real(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("olist") / "dataset"
    import_olist(shared_data / "olist", out)
    return out


def test_the_real_cohort_keeps_the_contract(real):
    opened = open_tables(real)
    assert check(opened).n_broken.sum() == 0
    assert opened.manifest.n_rows == {"sellers": 3095, "orders": 8135, "requests": 0}
    assert opened.as_of == pd.Timestamp("2018-10-17T20:30:18Z")  # 17:30:18 in Sao Paulo


def test_the_real_ends_are_those_of_the_published_profile(real):
    orders = orders_of(real)
    assert orders.end_code.fillna("open").value_counts().to_dict() == {
        "completed": 5172,
        "open": 1107 + 314 + 301 + 5 + 2,  # shipped, invoiced, processing, created, approved
        "cancelled": 625,
        "unavailable": 609,
    }
    weights = orders.groupby(orders.end_code.fillna("open")).weight.sum()
    assert weights["completed"] == pytest.approx(96_477)  # 96,478 less one that paid nothing
    assert weights.sum() == pytest.approx(99_440)


def test_the_real_shares_of_cancelled_orders_are_exact_by_payment_method(real):
    orders = orders_of(real)
    paid = orders.groupby("payment_method").weight.sum().round(6)
    cancelled = orders[orders.end_code == "cancelled"].groupby("payment_method").weight.sum()
    methods = ["gift_card", "card", "cash_voucher", "debit_card"]
    assert list(zip(cancelled[methods], paid[methods], strict=True)) == [
        (76, 1_621),
        (444, 76_505),
        (95, 19_784),
        (7, 1_527),
    ]


def test_the_projects_own_measure_gives_the_exact_shares(real):
    shares = order_end_shares(open_tables(real), by=["payment_method"])
    cancelled = shares[shares.end_code == "cancelled"].set_index("payment_method")
    exact = {
        "gift_card": (76, 1_621),
        "card": (444, 76_505),
        "cash_voucher": (95, 19_784),
        "debit_card": (7, 1_527),
    }
    for method, (n_events, n) in exact.items():
        row = cancelled.loc[method]
        assert (row.n_events, row.n) == (pytest.approx(n_events), pytest.approx(n))
        assert row.estimate == pytest.approx(n_events / n, rel=1e-12)


def test_the_real_cancelled_orders_stopped_at_three_stages(real):
    cancelled = orders_of(real).query("end_code == 'cancelled'")
    approved, shipped = cancelled.paid_at.notna(), cancelled.shipped_at.notna()
    stages = ((~approved & ~shipped).sum(), (approved & ~shipped).sum(), shipped.sum())
    assert stages == (141, 409, 75)
    assert cancelled.delivered_at.notna().sum() == 6


def test_the_real_repairs_are_counted(real):
    notes = " ".join(read_manifest(real).notes)
    assert "3 orders had shipped_at before placed_at" in notes
    assert "3 orders had delivered_at before shipped_at" in notes
    assert "775 orders have no items" in notes
    orders = orders_of(real)
    before_paid = (orders.shipped_at < orders.paid_at) & (orders.end_code == "completed")
    assert before_paid.sum() == 68 - 2  # two of the 68 were handed over before they were placed

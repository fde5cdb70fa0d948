"""One ready-made widget for JupyterLab: pick an order, see its card."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analysis.measures import why_not
from analysis.report import html
from analysis.report.ask import ask, show
from analysis.sources import Tables, collect

if TYPE_CHECKING:
    import ipywidgets

MAX_CHOICES = 200


def refused_orders(tables: Tables, *, n: int = MAX_CHOICES) -> list[Any]:
    """Return ids of up to ``n`` orders with a request that met a blocker, smallest ids first."""
    requests = tables.need("requests", "blocker", by="refused_orders")
    met = requests.filter(requests.blocker.notnull()).select("order_id").distinct()
    return collect(met.order_by("order_id").limit(n))["order_id"].tolist()


def order_picker(tables: Tables) -> ipywidgets.Widget:
    """Return a widget to pick or type an order, which shows why it could not be cancelled."""
    import ipywidgets

    has_blockers = tables.has("requests", "blocker")
    orders = [str(order) for order in refused_orders(tables)] if has_blockers else []
    box = ipywidgets.Combobox(
        description="Order",
        options=orders,
        value=orders[0] if orders else "",
        placeholder="an order id",
        continuous_update=False,
    )
    card = ipywidgets.HTML()

    def refresh(_change: object = None) -> None:
        card.value = _card(tables, box.value)._repr_html_() if box.value else ""

    box.observe(refresh, names="value")
    refresh()
    return ipywidgets.VBox([box, card])


def _card(tables: Tables, order_id: str) -> html.Html:
    try:
        return show(ask(why_not, tables, order_id=order_id))
    except ValueError as err:
        return html.note(str(err))

"""One ready-made widget for JupyterLab: pick an order, see its card."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analysis.measures import why_not
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
    from IPython.display import display

    orders = [str(order) for order in refused_orders(tables)]
    box = ipywidgets.Combobox(
        description="Order",
        options=orders,
        value=orders[0] if orders else "",
        placeholder="an order id",
        continuous_update=False,
    )
    card = ipywidgets.Output()

    def refresh(_change: object = None) -> None:
        card.clear_output(wait=True)
        with card:
            if box.value:
                display(_card(tables, box.value))

    box.observe(refresh, names="value")
    refresh()
    return ipywidgets.VBox([box, card])


def _card(tables: Tables, order_id: str) -> Any:
    from analysis.report import html

    try:
        return show(ask(why_not, tables, order_id=order_id))
    except ValueError as err:
        return html.note(str(err))

"""Sources: where bills come from, how fresh each is, and asking for more."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc
import streamlit as st

from finops_assets.queries import bills
from streamlit_app import data, freshness, refresh, states
from streamlit_app.format import count

_LATE = f"the newest day lies more than {bills.LATE_DAYS} days before the publication"


def page() -> None:
    """Cards, the table of sources, the refresh."""
    st.title("Sources")
    st.caption("Where bills come from, and how far each has come.")
    delivered = data.ask(bills.freshness)
    # Which sources there are is of all bills: who sees a part is told of those that it holds.
    configured = data.settings().sources if data.may("platform") else ()
    silent = [name for name in configured if name not in delivered["x_Source"].to_pylist()]
    if delivered.num_rows:
        _cards(delivered, silent)
        _table(delivered)
    if silent and data.day_shown() is None:
        st.warning(
            f"Nothing has come yet of {', '.join(silent)}. `finops sources check` says what is missing.",
            title=f"{count(len(silent), 'source')} without a bill",
            icon=":material/inbox:",
        )
    elif not delivered.num_rows:
        states.nothing_here("No bill has been delivered yet", "Configure a source in finops.toml.")
    if data.day_shown() is None and data.may("operate"):
        refresh.section()


def _cards(delivered: pa.Table, silent: list[str]) -> None:
    status = delivered["status"].to_pylist()
    late, held = status.count("late"), pc.sum(delivered["quarantined"]).as_py() or 0
    with st.grid(4, min_column_width=160):
        _card("Fresh", status.count("fresh"), f"of {count(len(status) + len(silent), 'source')}", "off")
        _card("Late", late, _LATE if late else "none is late", "orange" if late else "off")
        _card(
            "Months refused",
            held,
            "the page Bills says why" if held else "none",
            "red" if held else "off",
        )
        _card("Bill rows", pc.sum(delivered["rows"]).as_py() or 0, "in force", "off")


def _card(name: str, number: int, note: str, color: str) -> None:
    st.metric(
        name,
        f"{number:,}",
        note,
        delta_color=color,  # type: ignore[arg-type] # one of Streamlit's colors, as text
        delta_arrow="off",
        border=True,
        height="stretch",
    )


def _table(delivered: pa.Table) -> None:
    kinds = {name: source.kind for name, source in data.settings().sources.items()}
    kind = pa.array(
        [kinds.get(name, "not configured any more") for name in delivered["x_Source"].to_pylist()]
    )
    columns = {
        "x_Source": freshness.COLUMNS["x_Source"],
        "kind": "Kind",
        **{name: column for name, column in freshness.COLUMNS.items() if name != "x_Source"},
        "exported_at": st.column_config.DatetimeColumn(
            "Exported by the provider", format="D MMM YYYY, HH:mm", timezone="UTC"
        ),
        "first_month": "From",
        "last_month": "To",
    }
    with st.container(border=True):
        st.subheader("Freshness")
        freshness.show(delivered.append_column("kind", kind), columns)
        st.page_link("app_pages/bills.py", label="All deliveries", icon=":material/receipt:")


page()

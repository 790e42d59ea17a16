"""The dashboard's entry: navigation, what all pages share, and the states around a page.

Run it with `streamlit run streamlit_app/app.py`; `finops run` does.
"""

from __future__ import annotations

import logging
from pathlib import Path

import streamlit as st

from finops_assets.queries.access import NotKeptError, NotPublishedError, WarehouseError
from finops_assets.settings import ConfigError
from streamlit_app import data, filters, login, saved_views, states
from streamlit_app.links import ROWS_PAGE

_LOG = logging.getLogger("streamlit_app")

st.set_page_config(page_title="FinOps", page_icon=":material/savings:", layout="wide")
st.logo(str(Path(__file__).with_name("assets") / "logo.svg"), size="large")

PAGES = {
    "": [
        st.Page(
            "app_pages/overview.py",
            title="Overview",
            icon=":material/space_dashboard:",
            default=True,
            help="This month against last, the outlook, what moved, what stands out, how far to trust it.",
        ),
        st.Page(
            "app_pages/explorer.py",
            title="Cost explorer",
            icon=":material/query_stats:",
            help="Any cost by any dimension, over all providers, down to the rows of the bill.",
        ),
    ],
    "Providers": [
        st.Page(
            "app_pages/aws.py",
            title="AWS",
            icon=":material/cloud:",
            help="AWS in its own words: linked accounts, services, regions and usage.",
        ),
        st.Page(
            "app_pages/azure.py",
            title="Azure",
            icon=":material/cloud_circle:",
            help="Azure in its own words: subscriptions, resource groups and meters.",
        ),
        st.Page(
            "app_pages/gcp.py",
            title="Google Cloud",
            icon=":material/filter_drama:",
            help="Google Cloud in its own words: projects, services and SKUs.",
        ),
    ],
    "What comes, what stands out": [
        st.Page(
            "app_pages/forecast.py",
            title="Forecast",
            icon=":material/trending_up:",
            help="What each series is expected to cost, how sure that is, and how right it was before.",
        ),
        st.Page(
            "app_pages/forecast_record.py",
            title="Forecast record",
            icon=":material/fact_check:",
            help="What was said on a day, what came, and whether the backtest's promise was kept.",
        ),
        st.Page(
            "app_pages/anomalies.py",
            title="Anomalies",
            icon=":material/crisis_alert:",
            help="Events that left what was expected, what they cost, and what they are made of.",
        ),
        st.Page(
            "app_pages/budgets.py",
            title="Budgets",
            icon=":material/account_balance_wallet:",
            help="What may be spent, what it will come to, and the day by which it is too much.",
        ),
    ],
    "Where it comes from": [
        st.Page(
            "app_pages/sources.py",
            title="Sources",
            icon=":material/cloud_sync:",
            help="Where bills come from, how fresh each source is, and a refresh of any of them.",
        ),
        st.Page(
            "app_pages/bills.py",
            title="Bills",
            icon=":material/receipt:",
            help="Every delivery of every bill, its state, its control totals and how they reconcile.",
        ),
        st.Page(
            "app_pages/invoices.py",
            title="Invoices",
            icon=":material/request_quote:",
            help="What each invoice comes to, against the rows as delivered and the amounts that were given.",
        ),
        st.Page(
            "app_pages/conformance.py",
            title="Conformance",
            icon=":material/rule:",
            help="How each month's bill keeps the rules of FOCUS, and the rows that break them.",
        ),
        st.Page(
            ROWS_PAGE,
            title="Bill rows",
            icon=":material/receipt_long:",
            visibility="hidden",
            help="The rows of the bill behind one figure.",
        ),
    ],
}


def main() -> None:
    """One run of the page that the reader is on."""
    page = st.navigation(PAGES, expanded=True)
    version: int | None = None
    try:
        if login.enter() is None:
            return
        login.audited(page.url_path or "overview")
        with st.sidebar:
            shown = filters.day_of_knowledge()
            version = data.pin(shown)
            known = filters.known_days()
            if known is not None:
                filters.money_choice(known)
            if shown is None and data.may("platform"):
                saved_views.menu(page, [p for pages in PAGES.values() for p in pages])
            states.snapshot_note()
            login.note()
        if shown is not None:
            filters.knowledge_note(shown)
        if known is None:
            st.title(page.title)
            states.nothing_here(
                "The published snapshot holds no costs",
                "Take bills in with `finops run` or on the page Sources; the page Bills says why some were "
                "refused.",
            )
            if page.url_path not in {"bills", "sources"}:
                return
        page.run()
    except NotPublishedError:
        states.nothing_published(str(data.settings().paths.warehouse))
    except (ConfigError, NotKeptError) as error:
        states.failed(str(error), version)
    except (WarehouseError, OSError) as error:
        _LOG.exception("page %s", page.url_path or "overview")
        states.failed(_said(error), version)


def _said(error: Exception) -> str:
    """What a reader is told of it: its text may name files of sources that they do not see."""
    if data.may("operate"):
        return f"{type(error).__name__}: {error}"
    return f"{type(error).__name__}. The dashboard's log has the details."


main()

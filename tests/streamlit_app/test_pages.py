"""Every page on a built warehouse: it runs, and its figures are those of the rows, added up here."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from finops_assets.warehouse import publish as publishing
from streamlit_app.format import compact, money
from tests.streamlit_app.conftest import Built, Open, metric, run_page
from tests.warehouse_builder import LAST_DAY, build_warehouse, lake_table, settings_of

PAGES = (
    "overview",
    "explorer",
    "aws",
    "azure",
    "gcp",
    "forecast",
    "forecast_record",
    "anomalies",
    "budgets",
    "sources",
    "bills",
    "conformance",
    "invoices",
)

JANUARY, FEBRUARY, MARCH = (date(2026, m, 1) for m in (1, 2, 3))


def texts(app: AppTest) -> str:
    """Everything the page says in words."""
    said = [*app.markdown, *app.caption, *app.info, *app.error, *app.success, *app.subheader, *app.title]
    return "\n".join(str(element.value) for element in said).replace("\\", "")


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize(
    ("currency", "cost"), [("USD", "Effective cost"), ("EUR", "Billed cost"), ("EUR", "Contracted cost")]
)
def test_every_page_runs_in_every_currency_and_kind_of_cost(
    open_page: Open, name: str, currency: str, cost: str
) -> None:
    app = open_page(name, currency=currency, metric=cost)
    assert app.title[0].value
    # Every table and chart can be taken away, in both kinds of file.
    kinds = [button.proto.label for button in app.get("download_button")]
    shown = len(app.dataframe) + len(app.get("arrow_vega_lite_chart"))
    assert kinds.count("CSV") == kinds.count("Parquet") >= shown


def test_overview_compares_the_month_with_the_same_days_before(open_page: Open, built: Built) -> None:
    app = open_page("overview")
    now = built.total(MARCH, LAST_DAY)
    before = built.total(FEBRUARY, date(2026, 2, LAST_DAY.day))
    card = next(m for m in app.metric if m.label == "This month so far")
    assert card.value == compact(now, "USD")
    assert card.delta == f"{(now - before) / before * 100:+,.1f}%"
    # The other currency stands beside it, and is never added.
    assert metric(app, "EUR this month so far") == compact(
        built.total(MARCH, LAST_DAY, currency="EUR"), "EUR"
    )


def test_the_outlook_is_what_was_charged_and_what_is_forecast_of_the_rest(
    open_page: Open, built: Built
) -> None:
    app = open_page("overview")
    seen = date(2026, 3, 19)  # the newest day is still arriving: forecast, not counted
    days = (seen - JANUARY).days + 1
    a_day = (built.total(JANUARY, seen) / days).quantize(Decimal("0.01"))
    expected = built.total(MARCH, seen) + 12 * a_day
    assert metric(app, "Expected by month's end") == compact(expected, "USD")


def test_overview_tells_what_is_refused_and_that_the_rest_adds_up(open_page: Open) -> None:
    said = texts(open_page("overview"))
    assert "Every bill reconciles to the last digit" in said
    assert "1 delivery quarantined" in said


@pytest.mark.parametrize("cost", ["EffectiveCost", "BilledCost"])
def test_explorer_totals_are_the_sums_of_the_rows(open_page: Open, built: Built, cost: str) -> None:
    label = {"EffectiveCost": "Effective cost", "BilledCost": "Billed cost"}[cost]
    app = open_page("explorer", period="All", metric=label, group=["Provider", "Service"])
    assert metric(app, "Total") == money(built.total(JANUARY, LAST_DAY, metric=cost), "USD")
    assert metric(app, "Bill rows") == f"{len(built.rows(JANUARY, LAST_DAY)):,}"
    sums: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for row in built.rows(JANUARY, LAST_DAY):
        sums[row["ServiceProviderName"], row["ServiceName"]] += row[cost]
    table = app.dataframe[0].value
    shown = dict(
        zip(zip(table["ServiceProviderName"], table["ServiceName"], strict=True), table[cost], strict=True)
    )
    assert shown == sums


def test_converted_amounts_are_all_bills_at_their_days_rates(open_page: Open, built: Built) -> None:
    app = open_page("explorer", period="All", convert="EUR", group=["Provider"])
    assert not app.exception
    euros = built.total(date.min, date.max, currency="EUR")
    for row in built.rows(date.min, date.max, "USD"):
        # A rate every other day, as of the warehouse's RATES; the day between has that of the day before.
        days = (row["ChargePeriodStart"].date() - JANUARY).days // 2 * 2
        dollars = Decimal("1.05") + Decimal(days) / 10_000
        euros += row["EffectiveCost"] * (1 / dollars).quantize(Decimal(10) ** -12)
    assert metric(app, "Total") == money(euros, "EUR")
    said = texts(app)
    assert "bills of all currencies at the rates of their days" in said
    for currency in ("EUR", "USD"):
        billed = built.total(date.min, date.max, currency=currency)
        assert f"In {currency}: **{money(billed, currency)}**" in said


def test_a_missing_rate_is_said_and_nothing_is_converted(open_page: Open) -> None:
    app = open_page("explorer", period="All", convert="GBP")
    assert "No rate from EUR to GBP is known for 2026-01-" in texts(app)
    assert not app.metric


def test_a_filter_in_the_address_narrows_the_figures(open_page: Open, built: Built) -> None:
    app = open_page("explorer", period="All", x_filter=["Service"], x_ServiceName=["Amazon Redshift"])
    expected = built.total(JANUARY, LAST_DAY, ServiceName="Amazon Redshift")
    assert metric(app, "Total") == money(expected, "USD")
    without = open_page(
        "explorer",
        period="All",
        x_filter=["Service"],
        x_ServiceName=["Amazon Redshift"],
        x_not_ServiceName="true",
    )
    assert metric(without, "Total") == money(built.total(JANUARY, LAST_DAY) - expected, "USD")


def test_null_can_be_filtered_for(open_page: Open, built: Built) -> None:
    app = open_page("explorer", period="All", x_filter=["Tag: team"], x_x_Tag_team=["(none)"])
    assert metric(app, "Total") == money(built.total(JANUARY, LAST_DAY, x_Tag_team=None), "USD")


def test_a_filter_without_matches_says_so(open_page: Open) -> None:
    app = open_page("explorer", currency="EUR", x_filter=["Service"], x_ServiceName=["Amazon Redshift"])
    assert "Nothing matches these filters" in texts(app)


@pytest.mark.parametrize(
    ("page", "provider", "currency", "word"),
    [
        ("aws", "AWS", "USD", "Linked account"),
        ("azure", "Microsoft", "EUR", "Subscription"),
        ("gcp", "Google Cloud", "USD", "Project"),
    ],
)
def test_provider_pages_speak_their_own_words(
    open_page: Open, built: Built, page: str, provider: str, currency: str, word: str
) -> None:
    app = open_page(page, period="All", currency=currency, **{f"{page}_by": word})
    expected = built.total(JANUARY, LAST_DAY, currency=currency, ServiceProviderName=provider)
    assert metric(app, "Total") == money(expected, currency)
    assert f"By {word.lower()}" in texts(app)


def test_a_provider_that_never_bills_in_the_chosen_currency_shows_its_own(
    open_page: Open, built: Built
) -> None:
    app = open_page("azure", period="All", currency="USD")
    assert "The Azure bills are in EUR, so this page shows EUR rather than USD" in texts(app)
    assert metric(app, "Total") == money(built.total(JANUARY, LAST_DAY, currency="EUR"), "EUR")


def test_the_rows_behind_a_figure_add_up_to_it(open_page: Open, built: Built) -> None:
    app = open_page(
        "rows",
        from_="2026-02-01",
        to="2026-03-01",
        where=["0:ServiceName:Amazon Elastic Compute Cloud", "1:SubAccountName:web-shop"],
    )
    where = {"ServiceName": "Amazon Elastic Compute Cloud", "SubAccountName": "web-shop"}
    rows = built.rows(FEBRUARY, date(2026, 2, 28), **where)
    exact = sum((r["EffectiveCost"] for r in rows), Decimal(0))
    assert f"{exact:,f}".rstrip("0") in texts(app)
    assert f"{len(rows)} bill rows" in texts(app)
    assert "exactly the figure above" in texts(app)
    table = app.dataframe[0].value
    shown = sorted(zip(table["x_File"], table["x_RowNumber"], table["EffectiveCost"], strict=True))
    assert shown == sorted((r["x_File"], r["x_RowNumber"], r["EffectiveCost"]) for r in rows)


def test_rows_turn_page_by_page(open_page: Open, built: Built) -> None:
    app = open_page("rows", from_="2026-01-01", to="2026-04-01")
    everything = built.rows(JANUARY, LAST_DAY)
    seen: list[tuple[str, int, Decimal]] = []
    while True:
        table = app.dataframe[0].value
        seen += zip(table["x_File"], table["x_RowNumber"], table["EffectiveCost"], strict=True)
        following = app.button(key="rows_next")
        if following.disabled:
            break
        following.click().run()
        assert not app.exception
    assert sorted(seen) == sorted((r["x_File"], r["x_RowNumber"], r["EffectiveCost"]) for r in everything)


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ({"from_": "2026-01-01"}, "needs from and to"),
        ({"from_": "2026-01-01", "to": "2026-02-01", "where": ["ServiceName"]}, "not number:column:value"),
        ({"from_": "2026-01-01", "to": "2026-02-01", "where": ["0:Nonsense:x"]}, "Nonsense"),
    ],
)
def test_a_broken_link_says_what_is_wrong(
    open_page: Open, address: dict[str, str | list[str]], said: str
) -> None:
    assert said in texts(open_page("rows", **address))


def test_forecast_shows_the_making_in_force(open_page: Open) -> None:
    app = open_page("forecast", of="Provider", series="AWS")
    table = app.dataframe[0].value
    # The older making in the ledger is twice as high; the runner-up model a tenth lower.
    assert len(table) == 60
    assert table["mean"].nunique() == 1
    first_month = sum(table["mean"][:30], Decimal(0))
    assert metric(app, "Next 30 days") == compact(first_month, "USD")
    assert metric(app, "Typical error") == "6.0%"


def test_the_forecast_shows_months_to_18_and_how_wrong_they_were(open_page: Open, built: Built) -> None:
    app = open_page("forecast", of="Provider", series="AWS")
    days, months = app.dataframe[0].value, app.dataframe[1].value
    assert len(months) == 19
    assert months["actual"].iloc[0] == built.total(
        date(2026, 3, 1), date(2026, 3, 19), ServiceProviderName="AWS"
    )
    april = [d.month == 4 for d in days["day"]]
    assert months["mean"].iloc[1] == sum(days["mean"][april], Decimal(0))
    wape = months["wape"].tolist()
    assert [round(wape[ahead], 3) for ahead in (0, 1, 4)] == [0.02, 0.08, 0.1]
    assert math.isnan(wape[13])
    assert "Months up to 12 ahead were off by 10.0% in the backtest; beyond" in texts(app)


def test_the_forecast_page_tells_what_has_come_beside_its_backtest(open_page: Open) -> None:
    rows = open_page("forecast", of="Provider", series="AWS").dataframe[-1].value
    since = {(r["model"], r["horizon"]): r["since"] for r in rows.to_dict("records")}
    assert since["AutoETS", "30 days"] > 0
    # Ninety days of no making have come, and the other model was only tried the day before.
    assert math.isnan(since["AutoETS", "90 days"])
    assert math.isnan(since["SeasonalNaive", "30 days"])


def test_the_record_shows_what_was_said_and_what_came(open_page: Open, built: Built) -> None:
    # Without a choice: the newest making of which a month has come, made on 19 February.
    app = open_page("forecast_record", of="Provider", series="AWS")
    first, last = date(2026, 2, 18), date(2026, 3, 19)
    came = built.total(first, last, ServiceProviderName="AWS")
    days = app.dataframe[0].value
    said = sum(days["mean"][:30], Decimal(0))
    assert metric(app, "Came") == compact(came, "USD")
    assert metric(app, "Said") == compact(said, "USD")
    assert metric(app, "Error of the total") == ("+" if said > came else "") + compact(said - came, "USD")
    assert (len(days), days["actual"].notna().sum()) == (60, 30)
    record = app.dataframe[1].value
    assert list(record["horizon"]) == ["7 days", "30 days", "Month's total"]
    assert [round(v, 3) for v in record["promised_wape"]] == [0.014, 0.06, 0.02]


def test_the_record_of_what_has_not_come_says_so(open_page: Open) -> None:
    app = open_page("forecast_record", made_on="2026-03-21")
    assert "no day since is complete" in texts(app)
    assert not app.metric


def test_forecast_of_a_cost_that_is_not_forecast_says_which_are(open_page: Open) -> None:
    assert "Billed cost and Effective cost" in texts(open_page("forecast", metric="List cost"))


def test_anomaly_drivers_add_up_to_the_impact(open_page: Open) -> None:
    app = open_page("anomalies")
    assert metric(app, "Impact") == "+$1,500.00"
    assert texts(app).count("add up to $1,500.00, exactly the impact") == 2
    assert "Where 1,500 USD less was expected." in texts(app)
    listed = open_page("anomalies", status="Open")
    assert "No anomalies here" in [i.proto.title for i in listed.info]


def test_of_a_story_one_event_is_listed_until_every_level_is_asked_for(open_page: Open) -> None:
    app = open_page("anomalies")
    assert app.selectbox(key="event").options == ["Amazon Elastic Compute Cloud · AWS, 10–12 Feb 2026"]
    assert list(app.dataframe[0].value["story"]) == [True]
    app.toggle(key="every").set_value(True).run()
    assert not app.exception, app.exception[0].message
    listed = app.dataframe[0].value
    assert dict(zip(listed["level"], listed["story"], strict=True)) == {"Service": True, "Provider": False}
    assert len(app.selectbox(key="event").options) == 2
    app.toggle(key="every").set_value(False).run()
    assert len(app.selectbox(key="event").options) == 1


def test_a_level_without_the_event_that_tells_the_story_best_shows_its_own(open_page: Open) -> None:
    app = open_page("anomalies", level="Provider")
    assert list(app.dataframe[0].value["level"]) == ["Provider"]
    assert metric(app, "Impact") == "+$1,490.00"


def test_an_anomaly_says_when_its_data_came_and_when_it_was_seen(open_page: Open) -> None:
    said = "Its data came 10 Feb 2026, 22:00 UTC. First seen 11 Feb 2026, 00:00 UTC."
    assert said in texts(open_page("anomalies"))


def test_an_anomaly_says_why_then_what_changed(open_page: Open) -> None:
    app = open_page("anomalies")
    told = ["Why", "What changed", "What it is made of", "What you say of it"]
    assert [s.value for s in app.subheader][-4:] == told
    assert "**Account data-platform, Tag\\: team data**: +\\$1,400.00" in [m.value for m in app.markdown]
    assert "Elsewhere: +\\$100.00" in [m.value for m in app.markdown]
    effects = next(d.value for d in app.dataframe if "meaning" in d.value.columns)
    assert list(effects["name"]) == ["Quantity", "Commitment", "Unexplained"]


def test_bills_show_why_a_delivery_was_refused(open_page: Open, built: Built) -> None:
    app = open_page("bills")
    assert "ml-research.csv, row 17, column cost: expected a decimal number, found 'twelve'." in texts(app)
    assert metric(app, "Bills in force") == "9"
    assert metric(app, "Quarantined") == "1"
    delivered = {(r["x_Source"], r["x_File"], r["x_RowNumber"]) for r in built.costs}
    assert metric(app, "Rows in them") == f"{len(delivered):,}"
    assert "the unified costs, the daily costs and what is published of both are equal" in texts(app)


def test_conformance_counts_the_rows_that_break_a_rule(open_page: Open, built: Built) -> None:
    app = open_page("conformance", source="azure-ea")
    broken = app.dataframe[1].value
    unset = broken[broken["rule"] == "ContractedCost-Not-Null"]
    own = [r for r in built.costs if r["x_Source"] == "azure-ea"]
    assert sum(unset["failed"]) == len([r for r in own if r["ContractedCost"] is None]) > 0
    assert metric(app, "Months") == "3"
    assert set(broken["x_Source"]) == {"azure-ea"}
    assert set(open_page("conformance", month="2026-02").dataframe[0].value["x_BillingMonth"]) == {"2026-02"}


def test_invoices_are_the_sums_of_their_rows(open_page: Open, built: Built) -> None:
    app = open_page("invoices", source="aws-main")
    given, found = (frame.value for frame in app.dataframe)
    for month, number in (("2026-01", "aws-202601"), ("2026-02", "aws-202602"), ("2026-03", None)):
        rows = [r for r in built.costs if r["x_Source"] == "aws-main" and r["x_BillingMonth"] == month]
        (shown,) = found[found["x_BillingMonth"] == month].to_dict("records")
        assert {r["InvoiceId"] for r in rows} == {number}
        assert shown["number"] == (number or "not yet numbered")
        assert shown["BilledCost"] == sum(r["BilledCost"] for r in rows)
        assert shown["tax"] == Decimal("42.42")
        assert (shown["difference"], shown["passed"]) == ("0", True)
    # February's amount leaves tax out: one row of 42.42.
    assert list(given["number"]) == ["aws-202602", "aws-202601"]
    assert list(given["passed"]) == [False, True]
    assert given["cause"][0] == "tax"
    (alert,) = (w.value for w in app.warning)
    assert "2026-02, aws-202602: residual 42." in alert
    assert "the amount leaves out tax" in alert
    assert abs(Decimal(given["difference"][0]) - Decimal("42.42")) < Decimal("0.005")
    assert metric(app, "Unlike the amount given") == "1"
    assert metric(app, "Invoices") == "2"
    assert metric(app, "Not final") == "1"


def test_nothing_published_says_what_to_run(tmp_path: Path, use: Callable[[Path], None]) -> None:
    use(tmp_path)
    app = run_page("overview")
    assert "Nothing has been published yet" in [i.proto.title for i in app.info]
    assert app.code[0].value == "finops run"


def test_a_snapshot_that_cannot_be_read_is_a_failed_state(
    tmp_path: Path, use: Callable[[Path], None]
) -> None:
    warehouse = tmp_path / "warehouse"
    warehouse.mkdir()
    (warehouse / "warehouse-00000007.duckdb").write_bytes(b"not a database at all" * 1000)
    (warehouse / "CURRENT").write_text("warehouse-00000007.duckdb\n", encoding="utf-8")
    use(tmp_path)
    app = run_page("overview")
    assert "This page could not be shown" in [e.proto.title for e in app.error]


def test_a_page_follows_the_next_publication(tmp_path: Path, use: Callable[[Path], None]) -> None:
    build_warehouse(tmp_path)
    use(tmp_path)
    app = run_page("explorer", period="All")
    before = metric(app, "Total")
    build_warehouse(tmp_path, surcharge=Decimal(1))
    app.run()
    assert not app.exception
    rows = int(metric(app, "Bill rows").replace(",", ""))
    assert rows > 0
    assert metric(app, "Total") != before
    assert any("Snapshot 2" in c.value for c in app.caption)


def test_a_publication_in_the_middle_of_a_run_starts_it_again(
    tmp_path: Path, use: Callable[[Path], None]
) -> None:
    """A script that publishes between two of its own questions must end on the newer snapshot only."""
    build_warehouse(tmp_path)
    use(tmp_path)

    def script(folder: str) -> None:
        from datetime import date
        from decimal import Decimal
        from pathlib import Path

        import streamlit as st

        from finops_assets.access.principal import LOOPBACK
        from finops_assets.queries.costs import CostQuery, totals
        from finops_assets.queries.snapshot import snapshot
        from streamlit_app import data
        from tests.warehouse_builder import build_warehouse

        data.let_in(LOOPBACK)
        data.pin()
        first = data.ask(snapshot).version
        if "published" not in st.session_state:
            st.session_state["published"] = True
            build_warehouse(Path(folder), surcharge=Decimal(1))
        data.ask(totals, CostQuery(date(2026, 1, 1), date(2026, 2, 1)))
        st.text(f"{first} {data.ask(snapshot).version}")

    app = AppTest.from_function(script, default_timeout=60, args=(str(tmp_path),)).run()
    assert not app.exception
    assert [t.value for t in app.text] == ["2 2"]


@pytest.fixture
def restated(tmp_path: Path, use: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch) -> Path:
    """Published on the 21st and, a quarter dearer a row, on the 22nd."""
    for day, surcharge in ((21, Decimal(0)), (22, Decimal("0.25"))):
        published_at = datetime(2026, 3, day, 7, tzinfo=UTC)
        monkeypatch.setattr(publishing, "now", lambda at=published_at: at)
        build_warehouse(tmp_path, surcharge=surcharge)
    use(tmp_path)
    return tmp_path


def test_every_page_shows_what_was_known_on_a_day(restated: Path) -> None:
    for page in PAGES:
        app = run_page(page, as_of="2026-03-21")
        assert "As known on 21 Mar 2026" in texts(app)
        assert any("Snapshot 1 " in c.value for c in app.caption)


def test_the_dashboard_of_a_past_day_is_shown_again_to_the_cent(restated: Path, built: Built) -> None:
    yesterday = money(built.total(JANUARY, LAST_DAY), "USD")
    restated_costs = Built(restated, lake_table(settings_of(restated), "costs").to_dicts())
    today = money(restated_costs.total(JANUARY, LAST_DAY), "USD")
    assert today != yesterday
    app = run_page("explorer", period="All", as_of="2026-03-21")
    assert metric(app, "Total") == yesterday
    app.button(key="back_to_today").click().run()
    assert not app.exception
    assert metric(app, "Total") == today
    assert "As known on" not in texts(app)


def test_a_day_that_is_not_kept_is_told(restated: Path) -> None:
    for asked in ("2026-03-20", "yesterday"):
        app = run_page("explorer", as_of=asked)
        told = [w.value for w in app.warning if "cannot be shown" in w.value]
        assert told == [
            f"{asked} cannot be shown: days are kept since 21 Mar 2026. Shown is what is known now."
        ]


def test_the_rows_of_a_past_day_add_up_to_its_figure(restated: Path) -> None:
    app = run_page(
        "rows",
        from_="2026-01-01",
        to="2026-02-01",
        as_of="2026-03-21",
        where=["0:ServiceName:Amazon Redshift"],
    )
    assert "exactly the figure above" in texts(app)
    assert any("Snapshot 1 " in c.value for c in app.caption)

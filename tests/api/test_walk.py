"""Every route as each role, with the data of two tenants: nobody finds a name, count or sum of the other.

Routes are those of the app itself, so a new one is walked without a word here.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from urllib.parse import quote, unquote_plus, urlencode

import polars as pl
import pytest
from fastapi.testclient import TestClient
from httpx2 import Response

from finops_api.lock.permissions import NEEDS, OPEN, SAFE, permission_of
from finops_api.wire import money
from finops_assets.access.principal import Principal
from finops_assets.access.roles import MAY, ROLES, Role
from finops_assets.access.scope import WHOLE
from finops_assets.settings import Settings
from tests.api.locked import bearer, locked_client, locked_settings
from tests.tenants import TENANTS, finder, sums, words
from tests.warehouse_builder import BUDGETS, lake_table

API = "/api/v1"


@pytest.fixture(scope="module")
def settings(built: Settings, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return locked_settings(built, tmp_path_factory.mktemp("walk"))


@pytest.fixture(scope="module")
def client(settings: Settings) -> Iterator[TestClient]:
    with locked_client(settings) as opened:
        yield opened


@pytest.fixture(scope="module")
def rows(settings: Settings) -> pl.DataFrame:
    return lake_table(settings, "costs")


def operations(client: TestClient) -> list[tuple[str, str, dict[str, Any]]]:
    """Method, path and description of everything that is routed."""
    paths = client.get("/openapi.json").json()["paths"]
    return [(m.upper(), path, one) for path, methods in paths.items() for m, one in methods.items()]


@pytest.fixture(scope="module")
def walk(client: TestClient, rows: pl.DataFrame, settings: Settings) -> list[str]:
    """The addresses of every GET: each path value there is, and each choice of each parameter."""
    whole = bearer(settings, "finder")
    dimensions = [
        d["name"] for d in client.get(f"{API}/costs/dimensions", headers=whole).json()["dimensions"]
    ]
    events = [a["id"] for a in client.get(f"{API}/anomalies", headers=whole).json()["anomalies"]]
    values: dict[str, list[str]] = {
        "provider": ["aws", "azure", "gcp"],
        f"{API}/costs/dimensions/{{name}}": dimensions,
        "name": [k.budget.name for k in BUDGETS],
        "anomaly_id": events,
        "ingestion_id": ["nothing"],
    }
    asked = {
        "group_by": dimensions,
        "filter": [f"{c} != nothing" for c in ("ServiceName", "SubAccountId")],
        "as_of": [str(client.get(f"{API}/snapshot", headers=whole).json()["known_since"])],
        "made_on": [str(rows["ChargePeriodStart"].max())[:10]],
        "level": ["total", "provider", "billing_account", "account", "service", "region", "tag",
                  "account_service"],
    }  # fmt: skip
    found = []
    for method, path, one in operations(client):
        if method not in SAFE or path in OPEN:
            continue
        names = re.findall(r"{(\w+)}", path)
        for chosen in itertools.product(*(values.get(path, values.get(n, [])) for n in names)):
            address = path
            for name, value in zip(names, chosen, strict=True):
                address = address.replace(f"{{{name}}}", quote(value, safe=""))
            found += [f"{address}?{query}" for query in queries(one, asked)]
        assert any(a.startswith(path.partition("{")[0]) for a in found), (
            f"no values for {path}: name them above"
        )
    return found


def queries(operation: dict[str, Any], asked: dict[str, list[str]]) -> Iterator[str]:
    """One query for each choice of each parameter, the required ones always there."""
    parameters = [p for p in operation.get("parameters", ()) if p["in"] == "query"]
    fixed = [(p["name"], choices(p, asked)[0]) for p in parameters if p.get("required")]
    yield urlencode(fixed)
    for parameter in parameters:
        for choice in choices(parameter, asked):
            yield urlencode([*(f for f in fixed if f[0] != parameter["name"]), (parameter["name"], choice)])


def choices(parameter: dict[str, Any], asked: dict[str, list[str]]) -> list[str]:
    if parameter["name"] in asked:
        return asked[parameter["name"]]
    schema = parameter["schema"]
    kinds = [schema, *schema.get("anyOf", ())]
    kinds += [k["items"] for k in kinds if "items" in k]
    named = [str(v) for k in kinds for v in k.get("enum", ())]
    return named + (["true"] if any(k.get("type") == "boolean" for k in kinds) else [])


@pytest.fixture(scope="module")
def told(client: TestClient, settings: Settings, walk: list[str]) -> str:
    """Everything that the walk tells the owner of all bills."""
    header = bearer(settings, "owner of all")
    return " ".join(client.get(address, headers=header).text for address in walk)


def counts(value: Any, name: str = "") -> Iterator[int]:
    """The numbers of an answer that count rows or deliveries."""
    if isinstance(value, dict):
        for key, one in value.items():
            yield from counts(one, key)
    elif isinstance(value, list):
        for one in value:
            yield from counts(one, name)
    elif isinstance(value, int) and not isinstance(value, bool) and re.search("rows|count", name):
        yield value


@pytest.mark.parametrize("kind", list(TENANTS))
def test_no_answer_tells_of_the_other_tenant(
    client: TestClient, settings: Settings, rows: pl.DataFrame, walk: list[str], told: str, kind: str
) -> None:
    scope, ours = TENANTS[kind]
    own = rows.filter(ours)
    texts = [c for c, type_ in rows.schema.items() if type_ == pl.String]
    foreign = words(rows) - words(own, texts)
    amounts = (sums(rows) | sums(rows.filter(~ours))) - sums(own)
    leaks = finder(foreign | amounts)
    header = bearer(settings, f"walker of {kind}", "analyst", scope)
    for address in walk:
        answer = client.get(address, headers=header)
        assert answer.status_code in {200, 403, 404}, (address, answer.text)
        asked = unquote_plus(address)  # what was asked about may be said again
        found = {w for w in leaks.findall(f"{answer.text} {dict(answer.headers)}") if w not in asked}
        assert not found, f"{kind}: {address} tells of {found}"
        if answer.status_code == 200 and answer.headers["Content-Type"] == "application/json":
            assert max(counts(answer.json()), default=0) <= own.height, address
    # The test can see: the same addresses tell the owner of all bills these very words.
    seen = set(leaks.findall(told))
    assert len(seen & foreign) > len(foreign) / 3
    assert seen & amounts


@pytest.mark.parametrize("kind", ["source", "other sources", "account", "tag"])
def test_what_is_ones_own_is_all_there(
    client: TestClient, settings: Settings, rows: pl.DataFrame, kind: str
) -> None:
    scope, ours = TENANTS[kind]
    own = rows.filter(ours)
    header = bearer(settings, f"owner of {kind}", "viewer", scope)
    days = "start_date=2026-01-01&end_date=2026-03-31"
    answer = client.get(f"{API}/costs?{days}", headers=header).json()
    for total in answer["totals"]:
        of = own.filter(BillingCurrency=total["currency"])
        assert total["cost"] == money(sum(of["EffectiveCost"], Decimal(0)))
        assert total["row_count"] == of.height
        page = client.get(total["rows_url"], headers=header).json()
        assert page["total_rows"] == of.height
        assert page["totals"][0]["cost"] == total["cost"]
    assert len(answer["totals"]) == own["BillingCurrency"].n_unique()


@pytest.mark.parametrize("kind", list(TENANTS))
def test_the_hidden_is_as_what_there_is_not(client: TestClient, settings: Settings, kind: str) -> None:
    header = bearer(settings, f"prober of {kind}", "analyst", TENANTS[kind][0])
    hidden = {"source": "level-shift", "other sources": "spike"}.get(kind, "drop")
    pairs = [
        (f"{API}/anomalies/{hidden}", f"{API}/anomalies/nothing", hidden, "nothing"),
        (f"{API}/anomalies/{hidden}/feedback", f"{API}/anomalies/nothing/feedback", hidden, "nothing"),
        (f"{API}/budgets/All%20in%20dollars", f"{API}/budgets/Nothing", "All in dollars", "Nothing"),
        (
            f"{API}/budgets/All%20in%20dollars/days",
            f"{API}/budgets/Nothing/days",
            "All in dollars",
            "Nothing",
        ),
        *(
            (f"{API}/costs?filter={c} = '{v}'", f"{API}/costs?filter={c} = 'nothing'", v, "nothing")
            for c, v in (
                ("SubAccountId", "ml-research"),
                ("InvoiceId", "aws-202601"),
                ("x_Source", "gcp-prod"),
            )
            if kind in {"account", "source"} and not (kind == "source" and v.startswith("aws"))
        ),
    ]
    for one, other, value, nothing in pairs:
        found, missing = client.get(one, headers=header), client.get(other, headers=header)
        assert found.status_code == missing.status_code, one
        assert _said(found).replace(value, nothing) == _said(missing), one
    said = {"verdict": "expected"}
    found = client.post(f"{API}/anomalies/{hidden}/feedback", json=said, headers=header)
    assert (found.status_code, found.json()["type"]) == (404, "not-found")


@pytest.mark.parametrize("role", ROLES)
def test_each_role_may_what_the_table_says(client: TestClient, settings: Settings, role: Role) -> None:
    scopes = {"whole": WHOLE} if role == "admin" else {"whole": WHOLE, "part": TENANTS["source"][0]}
    for name, scope in scopes.items():
        principal = Principal("p", role, scope, "key")
        header = bearer(settings, f"{role} of the {name}", role, scope)
        for method, path, one in operations(client):
            if path in OPEN:
                continue
            address = re.sub(r"{\w+}", "nothing", path)
            answer = client.request(method, address, headers=header)
            if principal.may(permission_of(method, one["operationId"])):
                assert answer.status_code not in {401, 403}, (method, path)
            else:
                assert answer.status_code == 403, (method, path)
                assert answer.json()["type"] == "forbidden"
                assert 'error="insufficient_scope"' in answer.headers["WWW-Authenticate"]


def test_nobody_unknown_gets_past_the_door(client: TestClient) -> None:
    wrong = [
        {},
        {"Authorization": "Bearer finops_000000000000_00"},
        {"Authorization": "Bearer nothing"},
        {"Authorization": "Basic YTpi"},
        {"Authorization": "Bearer"},
    ]
    for method, path, _ in [*operations(client), ("GET", "/nowhere", {}), ("OPTIONS", f"{API}/costs", {})]:
        for header in wrong:
            answer = client.request(method, re.sub(r"{\w+}", "nothing", path), headers=header)
            if path in OPEN:
                assert answer.status_code == 200, path
                continue
            assert answer.status_code == 401, (method, path)
            assert answer.json()["type"] == "unauthenticated"
            assert answer.headers["WWW-Authenticate"].startswith('Bearer realm="finops"')


def test_the_table_names_every_change_there_is(client: TestClient) -> None:
    changes = {one["operationId"] for method, _, one in operations(client) if method not in SAFE}
    assert changes <= NEEDS.keys()
    assert MAY["viewer"] < MAY["analyst"] < MAY["admin"]


def test_an_answer_of_one_scope_is_none_of_another(client: TestClient, settings: Settings) -> None:
    headers = [bearer(settings, f"cache {n}", "viewer", TENANTS[n][0]) for n in ("source", "account")]
    headers.append(bearer(settings, "cache of all"))
    for path in ("costs", "anomalies", "snapshot"):
        tags = [client.get(f"{API}/{path}", headers=h).headers["ETag"] for h in headers]
        assert len(set(tags)) == 3
        for header, tag in itertools.product(headers, tags):
            answer = client.get(f"{API}/{path}", headers={**header, "If-None-Match": tag})
            assert (answer.status_code == 304) == (headers.index(header) == tags.index(tag))
            assert "Authorization" in answer.headers["Vary"]
            assert "private" in answer.headers["Cache-Control"]


def test_words_about_hidden_events_change_no_etag(client: TestClient, settings: Settings) -> None:
    mine = bearer(settings, "etag of account", "viewer", TENANTS["account"][0])
    theirs = bearer(settings, "analyst of source", "analyst", TENANTS["source"][0])
    before = client.get(f"{API}/anomalies", headers=mine).headers["ETag"]
    said = client.post(
        f"{API}/anomalies/spike/feedback", json={"verdict": "real", "author": "Somebody else"}, headers=theirs
    )
    assert said.status_code == 201
    assert said.json()["author"] == "analyst of source"
    assert client.get(f"{API}/anomalies", headers=mine).headers["ETag"] == before
    assert (
        json.loads(client.get(f"{API}/anomalies", headers=theirs).text)["anomalies"][0]["verdict"] == "real"
    )


def _said(answer: Response) -> str:
    return re.sub(r'"request_id":"\w+"', "", answer.text)

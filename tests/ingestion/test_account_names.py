"""Account names out of a real Organizations server, for the real legacy report that has numbers only."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from tests.ingestion.connected import Connected
from tests.normalize.bills import read_csv, shared
from tests.services.moto import ACCOUNT, CREDENTIALS, REGION, Moto, running_moto

SAMPLE = "native-exports/aws-cur-legacy.csv"
BUCKET = "billing"


@pytest.fixture(scope="module")
def moto() -> Iterator[Moto]:
    with running_moto() as server:
        yield server


def legacy(members: list[str]) -> tuple[bytes, dict[str, Decimal]]:
    """The sample with `members` in turn as its accounts and ours as payer; what each of them pays."""
    rows = read_csv(shared(SAMPLE))
    paid = dict.fromkeys(members, Decimal(0))
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]))
    writer.writeheader()
    for number, row in enumerate(rows):
        member = members[number % len(members)]
        paid[member] += Decimal(row["lineItem/UnblendedCost"])
        writer.writerow({**row, "bill/PayerAccountId": ACCOUNT, "lineItem/UsageAccountId": member})
    return out.getvalue().encode(), paid


def test_numbers_get_the_organizations_names(tmp_path: Path, moto: Moto) -> None:
    organizations, s3 = moto.owner("organizations"), moto.owner("s3")
    organizations.create_organization(FeatureSet="ALL")
    named = {
        organizations.create_account(AccountName=name, Email=f"{name}@example.com")["CreateAccountStatus"][
            "AccountId"
        ]: name
        for name in (f"team-{number:02d}" for number in range(25))  # more than one page of twenty
    }
    stranger = "000000000001"
    content, paid = legacy([*named, stranger])
    s3.create_bucket(Bucket=BUCKET)
    s3.put_object(Bucket=BUCKET, Key="cur/report.csv", Body=content)
    platform = Connected(tmp_path, CREDENTIALS)
    source = (
        f'[sources.aws-old]\nkind = "s3_files"\nbucket = "{BUCKET}"\nregion = "{REGION}"\n'
        f'endpoint_url = "{moto.url}"\n'
    )
    platform.configure(f'first_month = "2023-01"\n{source}')
    platform.ingest()
    costs_by_name = "SELECT SubAccountId, SubAccountName, sum(BilledCost) FROM costs GROUP BY ALL ORDER BY 1"
    assert {name for _, name, _ in platform.query(costs_by_name)} == {None}

    # Asked from now on: the months that are there get their names, and no figure changes.
    platform.configure(f'first_month = "2023-01"\n{source}account_names = true\n')
    platform.ingest()
    expected = [(number, named.get(number), paid[number]) for number in sorted(paid)]
    assert platform.query(costs_by_name) == expected
    marked = "SELECT SubAccountId, bool_and(contains(x_Inferred, 'SubAccountName')) FROM costs GROUP BY 1"
    assert dict(platform.query(marked)) == {number: number in named for number in paid}
    assert platform.query("SELECT DISTINCT BillingAccountName FROM costs") == [("master",)]
    assert platform.query("SELECT count(*) FROM account_names") == [(len(named) + 1,)]
    version = platform.query("SELECT max(version) FROM snapshot")
    platform.ingest()
    assert platform.query("SELECT max(version) FROM snapshot") == version, "nothing new, nothing made"

    checked = platform.finops("sources", "check")
    assert checked.returncode == 0, checked.stdout
    assert "aws-old: AWS Organizations names 26 accounts" in checked.stdout


def test_who_may_not_ask_is_told_the_statement(tmp_path: Path, moto: Moto) -> None:
    moto.reset()
    s3, iam = moto.owner("s3"), moto.owner("iam")
    s3.create_bucket(Bucket=BUCKET)
    iam.create_user(UserName="reader")
    iam.put_user_policy(
        UserName="reader",
        PolicyName="bucket",
        PolicyDocument='{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", '
        '"Resource": "*"}]}',
    )
    key = iam.create_access_key(UserName="reader")["AccessKey"]
    mine = {
        **CREDENTIALS,
        "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
    }
    del mine["AWS_SESSION_TOKEN"]
    platform = Connected(tmp_path, mine)
    platform.configure(
        f'[sources.aws-old]\nkind = "s3_files"\nbucket = "{BUCKET}"\nregion = "{REGION}"\n'
        f'endpoint_url = "{moto.url}"\naccount_names = true\n'
    )
    with moto.guarded():
        checked = platform.finops("sources", "check")
    assert checked.returncode == 1
    assert "not allowed to list the accounts of the organization" in " ".join(checked.stdout.split())
    assert '"Action": "organizations:ListAccounts"' in checked.stdout

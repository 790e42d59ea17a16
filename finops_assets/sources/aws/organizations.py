"""Account names out of AWS Organizations, for bills that know account numbers only (legacy CUR).

Source: AWS Organizations API reference, "ListAccounts": from the management account, or a delegated
administrator's; no charge.
"""

from __future__ import annotations

import pyarrow as pa

from finops_assets.sources.aws.access import AwsAccess, explained, policy, statement

GRANT = policy([statement("organizations:ListAccounts", "*")])


def account_names(access: AwsAccess) -> pa.Table:
    """AccountId, AccountName of every account of the organization, sorted by id; all pages.

    Raises AccessError, TransientError or another SourceError.
    """
    with explained(access, "list the accounts of the organization", GRANT):
        pages = access.client("organizations").get_paginator("list_accounts").paginate()
        named = sorted((account["Id"], account["Name"]) for page in pages for account in page["Accounts"])
    return pa.table(
        {
            "AccountId": pa.array([number for number, _ in named], pa.string()),
            "AccountName": pa.array([name for _, name in named], pa.string()),
        }
    )

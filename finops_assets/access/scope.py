"""Which bill rows somebody may see: the union of grants, each by source, account and tag."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Grant:
    """Rows that are all of this: of one of `sources`, of one of `accounts`, with one value of each tag.

    None takes any source or account. An account is a SubAccountId or a BillingAccountId. `tags` holds a
    configured tag key and the values that are taken, once a key.
    """

    sources: tuple[str, ...] | None = None
    accounts: tuple[str, ...] | None = None
    tags: tuple[tuple[str, tuple[str, ...]], ...] = ()

    @property
    def takes_whole_sources(self) -> bool:
        """Whether nothing but the source decides."""
        return self.accounts is None and not self.tags

    @property
    def takes_all(self) -> bool:
        """Whether it takes every row."""
        return self.sources is None and self.takes_whole_sources


@dataclass(frozen=True)
class Scope:
    """Rows that any of the grants takes; without one, none."""

    grants: tuple[Grant, ...]

    @property
    def is_whole(self) -> bool:
        """Whether it takes every row."""
        return any(grant.takes_all for grant in self.grants)

    @property
    def key(self) -> str:
        """Names the scope: two that say the same have the same key. '' is that of the whole."""
        return "" if self.is_whole else hashlib.sha256(self.to_json().encode()).hexdigest()[:16]

    def to_json(self) -> str:
        """The scope as a text that `from_json` reads; the order of what it names does not matter."""
        return json.dumps(sorted((_plain(g) for g in self.grants), key=str), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Scope:
        """The scope of a text of `to_json`."""
        return cls(tuple(_grant(given) for given in json.loads(text)))

    @classmethod
    def union(cls, scopes: Sequence[Scope]) -> Scope:
        """What any of the scopes takes."""
        return cls(tuple(dict.fromkeys(grant for scope in scopes for grant in scope.grants)))

    def __str__(self) -> str:
        return " or ".join(_words(grant) for grant in self.grants) or "nothing"


WHOLE = Scope((Grant(),))
"""Everything."""


def _plain(grant: Grant) -> dict[str, Any]:
    given = asdict(grant)
    return {
        "sources": None if given["sources"] is None else sorted(given["sources"]),
        "accounts": None if given["accounts"] is None else sorted(given["accounts"]),
        "tags": {key: sorted(values) for key, values in grant.tags},
    }


def _grant(given: dict[str, Any]) -> Grant:
    sources, accounts = given["sources"], given["accounts"]
    return Grant(
        None if sources is None else tuple(sources),
        None if accounts is None else tuple(accounts),
        tuple((key, tuple(values)) for key, values in given["tags"].items()),
    )


def _words(grant: Grant) -> str:
    said = [
        *([f"sources {', '.join(grant.sources)}"] if grant.sources is not None else []),
        *([f"accounts {', '.join(grant.accounts)}"] if grant.accounts is not None else []),
        *(f"{key}={'|'.join(values)}" for key, values in grant.tags),
    ]
    return " and ".join(said) or "everything"

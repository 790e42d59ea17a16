"""What routes are given: the settings, and one published state for the whole of a request."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, TypeAlias, cast, get_args

from fastapi import Depends, Request, Response
from fastapi import Query as QueryParameter
from fastapi.responses import JSONResponse
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, field_validator

from finops_api.errors import invalid
from finops_api.lock.permissions import principal_of
from finops_assets.access.principal import Principal
from finops_assets.orchestrator.ingestions import Orchestrator
from finops_assets.queries.access import NotKeptError, Pinned, Reader, Versions, as_known_on, pinned, within
from finops_assets.queries.snapshot import Snapshot, snapshot
from finops_assets.settings import Settings


class NotModifiedError(Exception):
    """The client already has this answer."""

    def __init__(self, etag: str) -> None:
        super().__init__(etag)
        self.etag = etag


class SnapshotStamp(BaseModel):
    """Which published state answers. Two answers of the same version fit together exactly."""

    version: int = Field(examples=[12], description="Grows by one with each publication.")
    published_at: str = Field(examples=["2026-01-15T05:00:00Z"], description="UTC.")


@dataclass(frozen=True)
class Reading:
    """One published state, held until the answer is made."""

    warehouse: Pinned
    snapshot: Snapshot
    as_of: date | None = None
    beside: str = ""
    """Names what else the answer depends on: the state of what is not published, or its form."""
    scope: str = ""
    """Names the part of the bills that is seen; '' is all of them."""

    @property
    def etag(self) -> str:
        """Names the state: the version, and when it was published, since a new data folder starts at 1."""
        at = f"{self.snapshot.version}-{int(self.snapshot.published_at.timestamp() * 1000):x}"
        return f'"{"-".join(part for part in (at, self.beside, self.scope) if part)}"'

    @property
    def stamp(self) -> dict[str, Any]:
        """Which state it is, as answers say it."""
        return {
            "version": self.snapshot.version,
            "published_at": self.snapshot.published_at.isoformat().replace("+00:00", "Z"),
        }

    @property
    def headers(self) -> dict[str, str]:
        """By what clients and caches check an answer again."""
        return {"ETag": self.etag, "Cache-Control": "private, no-cache", "Vary": "Accept"}

    def answer(self, body: dict[str, Any], headers: dict[str, str] | None = None) -> Response:
        """The body with its snapshot."""
        return JSONResponse({"snapshot": self.stamp, **body}, headers={**self.headers, **(headers or {})})


_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


def _is_day(given: Any) -> Any:
    """A day is written as one: pydantic would read a number as seconds since 1970."""
    if isinstance(given, str) and not _DAY.fullmatch(given):
        raise ValueError("this is no valid date, such as 2026-01-31")
    return given


AsOf: TypeAlias = Annotated[
    date | None,
    BeforeValidator(_is_day),
    QueryParameter(
        description="Answer as it was known at the end of this day (UTC); now by default. "
        "`[history] keep_days` says how far back days are kept.",
        examples=["2026-01-31"],
    ),
]


class Query(BaseModel):
    """Query parameters of a route: an unknown one is an error, as a typo would give a wrong figure."""

    model_config = ConfigDict(extra="forbid")

    as_of: AsOf = None

    @field_validator("*", mode="before")
    @classmethod
    def _days_are_days(cls, given: Any, info: ValidationInfo) -> Any:
        """Every parameter that is a day."""
        field = cls.model_fields[str(info.field_name)]
        return _is_day(given) if date in (field.annotation, *get_args(field.annotation)) else given


def get_settings(request: Request) -> Settings:
    """The app's settings."""
    return cast("Settings", request.app.state.settings)


def get_orchestrator(request: Request) -> Orchestrator:
    """Dagster, as the app reaches it."""
    return cast("Orchestrator", request.app.state.orchestrator)


def reading(request: Request, as_of: AsOf = None) -> Iterator[Reading]:
    """The state asked for, held for this request.

    Raises NotPublishedError, NotModifiedError, and a 422 problem for a day that is not kept.
    """
    yield from hold(request, as_of)


def hold(
    request: Request, as_of: date | None, beside: str | Callable[[Reader], str] = ""
) -> Iterator[Reading]:
    """The same for an answer that also holds what `beside` names; raises what `reading` raises."""
    try:
        wanted = as_known_on(visible(request), as_of)
    except NotKeptError as error:
        raise invalid("as_of", str(as_of), str(error)) from None
    with pinned(wanted) as held:
        found = Reading(
            held,
            snapshot(held),
            as_of,
            beside(held) if callable(beside) else beside,
            principal_of(request).scope.key,
        )
        known = [
            tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")
        ]
        if found.etag in known or "*" in known:
            raise NotModifiedError(found.etag)
        yield found


def visible(request: Request) -> Versions:
    """The warehouse as who asks may see it."""
    return within(request.app.state.warehouse, principal_of(request).scope)


CurrentSettings = Annotated[Settings, Depends(get_settings)]
CurrentOrchestrator = Annotated[Orchestrator, Depends(get_orchestrator)]
CurrentPrincipal = Annotated[Principal, Depends(principal_of)]
CurrentReading = Annotated[Reading, Depends(reading)]

NOT_MODIFIED: dict[int | str, dict[str, Any]] = {
    304: {"description": "The state is still the one whose ETag was sent in If-None-Match."}
}

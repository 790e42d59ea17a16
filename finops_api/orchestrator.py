"""Dagster over GraphQL: launch a backfill of the bill partitions, and ask how far it is."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import httpx

from finops_api.errors import (
    ConflictProblem,
    OrchestratorDownProblem,
    OrchestratorRefusedProblem,
    UnknownProblem,
)

State: TypeAlias = Literal["queued", "running", "succeeded", "failed", "canceled"]

REQUEST_ID_TAG = "finops/request_id"
IDEMPOTENCY_TAG = "finops/idempotency_key"
KEPT_SECONDS = 24 * 3600
"""How long a repeated request with the same idempotency key finds the first one."""
_START_TAG, _END_TAG, _SOURCES_TAG = "finops/start", "finops/end", "finops/sources"
_PARTITION_TAG = "dagster/partition"
_RANGE_START_TAG = "dagster/asset_partition_range_start"
_RANGE_END_TAG = "dagster/asset_partition_range_end"

_DIMENSIONS = {"month", "source"}

_ASSETS = """
query {
  repositoriesOrError {
    __typename
    ... on RepositoryConnection {
      nodes {
        name
        location { name }
        assetNodes {
          assetKey { path }
          isMaterializable
          partitionDefinition { dimensionTypes { name } }
        }
      }
    }
    ... on PythonError { message }
  }
}
"""

_LAUNCH = """
mutation ($params: LaunchBackfillParams!) {
  launchPartitionBackfill(backfillParams: $params) {
    __typename
    ... on LaunchBackfillSuccess { backfillId }
    ... on PartitionKeysNotFoundError { message }
    ... on PythonError { message }
    ... on UnauthorizedError { message }
  }
}
"""

_STATUS = """
query ($id: String!) {
  partitionBackfillOrError(backfillId: $id) {
    __typename
    ... on PartitionBackfill {
      status
      timestamp
      endTimestamp
      tags { key value }
      error { message }
      runs(limit: 1000) { runId status tags { key value } }
    }
    ... on PythonError { message }
  }
}
"""

_RECENT = """
query ($after: Float!) {
  partitionBackfillsOrError(limit: 1000, filters: {createdAfter: $after}) {
    __typename
    ... on PartitionBackfills { results { id tags { key value } } }
    ... on PythonError { message }
  }
}
"""

_BACKFILL_STATES: dict[str, State] = {
    "REQUESTED": "running",
    "COMPLETED": "succeeded",
    "COMPLETED_SUCCESS": "succeeded",
    "COMPLETED_FAILED": "failed",
    "FAILED": "failed",
    "FAILING": "failed",
    "CANCELED": "canceled",
    "CANCELING": "canceled",
}

_RUN_STATES: dict[str, State] = {
    "SUCCESS": "succeeded",
    "FAILURE": "failed",
    "CANCELED": "canceled",
    "CANCELING": "canceled",
    "STARTED": "running",
    "STARTING": "running",
}


@dataclass(frozen=True)
class Selection:
    """What to ingest: months 'YYYY-MM', first and last included, of some sources."""

    start: str
    end: str
    sources: tuple[str, ...]

    def months(self) -> list[str]:
        """Every month, in order."""
        first, last = (int(m[:4]) * 12 + int(m[5:]) - 1 for m in (self.start, self.end))
        return [f"{n // 12:04d}-{n % 12 + 1:02d}" for n in range(first, last + 1)]

    def partitions(self) -> list[str]:
        """Dagster's keys: month first, since it sorts the dimensions by name."""
        return [f"{month}|{source}" for month in self.months() for source in self.sources]


@dataclass(frozen=True)
class Ingestion:
    """A launched ingestion: its state and that of each partition. Times are seconds since 1970."""

    id: str
    selection: Selection
    state: State
    partitions: dict[str, State]
    run_ids: tuple[str, ...]
    requested_at: float
    ended_at: float | None
    problem: str | None


class Orchestrator:
    """Dagster's GraphQL endpoint.

    Methods raise OrchestratorDownProblem and OrchestratorRefusedProblem.
    """

    def __init__(self, url: str, client: httpx.Client | None = None) -> None:
        self._url = url
        self._one_at_a_time = threading.Lock()
        self._client = client or httpx.Client(timeout=httpx.Timeout(30, connect=3), trust_env=False)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def launch(self, selection: Selection, request_id: str, idempotency_key: str | None = None) -> str:
        """Launch one backfill of every asset that is partitioned by month and source; its id.

        A request that repeats the idempotency key of the last 24 hours starts nothing: the id is that of
        the first. Raises ConflictProblem when the first asked for something else.
        """
        if idempotency_key is None:
            return self._launch(selection, {REQUEST_ID_TAG: request_id})
        with self._one_at_a_time:
            tags = {REQUEST_ID_TAG: request_id, IDEMPOTENCY_TAG: idempotency_key}
            return self._launched_before(idempotency_key, selection) or self._launch(selection, tags)

    def _launched_before(self, idempotency_key: str, selection: Selection) -> str | None:
        found = self._ask(_RECENT, {"after": time.time() - KEPT_SECONDS})["partitionBackfillsOrError"]
        if found["__typename"] != "PartitionBackfills":
            raise _refused(found)
        for backfill in found["results"]:
            tags = {t["key"]: t["value"] for t in backfill["tags"]}
            if tags.get(IDEMPOTENCY_TAG) == idempotency_key:
                if _asked(tags) != selection:
                    raise ConflictProblem(
                        f"The Idempotency-Key {idempotency_key!r} was used for {tags[_SOURCES_TAG]}, "
                        f"{tags[_START_TAG]} to {tags[_END_TAG]}. Send a new key with a new request."
                    )
                return str(backfill["id"])
        return None

    def _launch(self, selection: Selection, also: dict[str, str]) -> str:
        tags = {
            _START_TAG: selection.start,
            _END_TAG: selection.end,
            _SOURCES_TAG: ",".join(selection.sources),
            **also,
        }
        params = {
            "assetSelection": [{"path": path} for path in self._bill_assets()],
            "partitionNames": selection.partitions(),
            "title": f"Ingestion {selection.start} to {selection.end}",
            "tags": [{"key": k, "value": v} for k, v in tags.items()],
        }
        launched = self._ask(_LAUNCH, {"params": params})["launchPartitionBackfill"]
        if launched["__typename"] != "LaunchBackfillSuccess":
            raise _refused(launched)
        return str(launched["backfillId"])

    def status(self, ingestion_id: str) -> Ingestion:
        """How far an ingestion is. Raises UnknownProblem when this API launched none with that id."""
        found = self._ask(_STATUS, {"id": ingestion_id})["partitionBackfillOrError"]
        if found["__typename"] == "PythonError":
            raise _refused(found)
        tags = {t["key"]: t["value"] for t in found.get("tags", ())}
        if not {_START_TAG, _END_TAG, _SOURCES_TAG} <= tags.keys():
            raise UnknownProblem(
                f"No ingestion is called {ingestion_id!r}. POST /api/v1/ingestion starts one."
            )
        selection = _asked(tags)
        runs = found["runs"]
        state = _BACKFILL_STATES[found["status"]]
        return Ingestion(
            id=ingestion_id,
            selection=selection,
            state="queued" if state == "running" and not runs else state,
            partitions=_progress(selection, runs),
            run_ids=tuple(r["runId"] for r in runs),
            requested_at=found["timestamp"],
            ended_at=found["endTimestamp"],
            problem=found["error"]["message"] if found["error"] else None,
        )

    def _bill_assets(self) -> list[list[str]]:
        """The assets partitioned by month and source, found by their shape, not by their names."""
        found = self._ask(_ASSETS, {})["repositoriesOrError"]
        if found["__typename"] != "RepositoryConnection":
            raise _refused(found)
        assets = [
            node["assetKey"]["path"]
            for repository in found["nodes"]
            for node in repository["assetNodes"]
            if node["isMaterializable"]
            and node["partitionDefinition"] is not None
            and {d["name"] for d in node["partitionDefinition"]["dimensionTypes"]} == _DIMENSIONS
        ]
        if not assets:
            raise OrchestratorRefusedProblem(
                "Dagster has no asset partitioned by month and source: its code location is not loaded. "
                "Dagster's own page shows why."
            )
        return assets

    def _ask(self, query: str, variables: dict[str, Any]) -> dict[str, Any]:
        try:
            answer = self._client.post(self._url, json={"query": query, "variables": variables})
            body = answer.json()
        except httpx.TransportError as error:
            raise OrchestratorDownProblem(
                f"Nothing answers at {self._url} ({type(error).__name__}). Start Dagster with `finops run`, "
                "or set FINOPS_SERVICES__DAGSTER_PORT to where it listens.",
                headers={"Retry-After": "10"},
            ) from error
        except ValueError as error:
            raise OrchestratorRefusedProblem(
                f"{self._url} answered {answer.status_code} with something that is not GraphQL."
            ) from error
        if body.get("errors") or not body.get("data"):
            messages = "; ".join(e["message"] for e in body.get("errors", ())) or "no data"
            raise OrchestratorRefusedProblem(f"Dagster answered: {messages}")
        data: dict[str, Any] = body["data"]
        return data


def _asked(tags: dict[str, str]) -> Selection:
    """What a backfill of ours was launched for."""
    return Selection(tags[_START_TAG], tags[_END_TAG], tuple(tags[_SOURCES_TAG].split(",")))


def _progress(selection: Selection, runs: Sequence[dict[str, Any]]) -> dict[str, State]:
    """Partition → its state: that of the runs that hold it; queued while none does."""
    states: dict[str, set[State]] = {key: set() for key in selection.partitions()}
    for run in runs:
        tags = {t["key"]: t["value"] for t in run["tags"]}
        first = tags.get(_RANGE_START_TAG, tags.get(_PARTITION_TAG, ""))
        last = tags.get(_RANGE_END_TAG, first)
        for key, found in states.items():
            if in_range(key, first, last, selection.sources):
                found.add(_RUN_STATES.get(run["status"], "queued"))
    order: tuple[State, ...] = ("running", "queued", "failed", "canceled", "succeeded")
    return {key: next((s for s in order if s in found), "queued") for key, found in states.items()}


def in_range(key: str, first: str, last: str, sources: Sequence[str]) -> bool:
    """Whether a range of partitions holds `key`. A range holds one dimension fixed."""
    if "|" not in first or "|" not in last:
        return False
    (month, source), (from_month, from_source), (to_month, to_source) = (
        k.split("|", 1) for k in (key, first, last)
    )
    if not from_month <= month <= to_month:
        return False
    if from_source == to_source:
        return source == from_source
    # A range over sources follows Dagster's order of them, which is that of the configuration.
    places = [sources.index(s) if s in sources else None for s in (from_source, source, to_source)]
    low, at, high = places
    return low is not None and at is not None and high is not None and low <= at <= high


def _refused(answer: dict[str, Any]) -> OrchestratorRefusedProblem:
    return OrchestratorRefusedProblem(f"{answer['__typename']}: {answer.get('message', 'no text')}")

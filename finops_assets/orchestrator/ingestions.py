"""Ingestions as Dagster's backfills of the bill partitions: launch, follow, cancel, list."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from finops_assets.orchestrator import graphql
from finops_assets.orchestrator.errors import (
    IngestionNotFoundError,
    KeyReusedError,
    OrchestratorRefusedError,
)
from finops_assets.orchestrator.graphql import GraphQL
from finops_assets.orchestrator.selection import Selection, in_range

State: TypeAlias = Literal["queued", "running", "succeeded", "failed", "canceled"]

REQUEST_ID_TAG = "finops/request_id"
AUTHOR_TAG = "finops/author"
IDEMPOTENCY_TAG = "finops/idempotency_key"
KEPT_SECONDS = 24 * 3600
"""How long a repeated request with the same idempotency key finds the first one."""
_START_TAG, _END_TAG, _SOURCES_TAG = "finops/start", "finops/end", "finops/sources"
_OURS = {_START_TAG, _END_TAG, _SOURCES_TAG}
_PARTITION_TAG = "dagster/partition"
_RANGE_START_TAG = "dagster/asset_partition_range_start"
_RANGE_END_TAG = "dagster/asset_partition_range_end"

_DIMENSIONS = {"month", "source"}

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
    """Dagster, as the faces reach it. Methods raise OrchestratorDownError and OrchestratorRefusedError."""

    def __init__(self, url: str) -> None:
        self._dagster = GraphQL(url)
        self._one_at_a_time = threading.Lock()

    def close(self) -> None:
        """Close the connections."""
        self._dagster.close()

    def launch(
        self, selection: Selection, request_id: str, idempotency_key: str | None = None, *, author: str
    ) -> str:
        """Launch one backfill of every asset that is partitioned by month and source; its id.

        Dagster shows the author beside it, if there is one; '' while nobody is known by name.
        A request that repeats the idempotency key of the last 24 hours starts nothing: the id is that of
        the first. Raises KeyReusedError when the first asked for something else.
        """
        tags = {REQUEST_ID_TAG: request_id, **({AUTHOR_TAG: author} if author else {})}
        if idempotency_key is None:
            return self._launch(selection, tags)
        with self._one_at_a_time:
            tags[IDEMPOTENCY_TAG] = idempotency_key
            return self._launched_before(idempotency_key, selection) or self._launch(selection, tags)

    def _launched_before(self, idempotency_key: str, selection: Selection) -> str | None:
        for ingestion_id, tags in self._of_the_last_day():
            if tags.get(IDEMPOTENCY_TAG) == idempotency_key:
                if _asked(tags) != selection:
                    raise KeyReusedError(
                        f"The Idempotency-Key {idempotency_key!r} was used for {tags[_SOURCES_TAG]}, "
                        f"{tags[_START_TAG]} to {tags[_END_TAG]}. Send a new key with a new request."
                    )
                return ingestion_id
        return None

    def _of_the_last_day(self) -> list[tuple[str, dict[str, str]]]:
        """Each backfill of ours of the last 24 hours with its tags, the newest first."""
        answer = self._dagster.ask(graphql.RECENT, {"after": time.time() - KEPT_SECONDS})
        found = answer["partitionBackfillsOrError"]
        if found["__typename"] != "PartitionBackfills":
            raise _refused(found)
        tagged = [(str(b["id"]), _tags(b)) for b in found["results"]]
        return [(i, tags) for i, tags in tagged if tags.keys() >= _OURS]

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
        launched = self._dagster.ask(graphql.LAUNCH, {"params": params})["launchPartitionBackfill"]
        if launched["__typename"] != "LaunchBackfillSuccess":
            raise _refused(launched)
        return str(launched["backfillId"])

    def status(self, ingestion_id: str) -> Ingestion:
        """How far an ingestion is. Raises IngestionNotFoundError when none of ours has that id."""
        found = self._dagster.ask(graphql.STATUS, {"id": ingestion_id})["partitionBackfillOrError"]
        if found["__typename"] == "PythonError":
            raise _refused(found)
        tags = _tags(found)
        if not tags.keys() >= _OURS:
            raise IngestionNotFoundError(
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

    def recent(self) -> list[Ingestion]:
        """The ingestions that were launched in the last 24 hours, the newest first."""
        return [self.status(ingestion_id) for ingestion_id, _ in self._of_the_last_day()]

    def cancel(self, ingestion_id: str) -> Ingestion:
        """Stop an ingestion and its runs; what has landed stays, and an ended one stays as it is.

        Its state after that: runs take some seconds to stop. Raises IngestionNotFoundError.
        """
        found = self.status(ingestion_id)
        if found.state not in {"queued", "running"}:
            return found
        answer = self._dagster.ask(graphql.CANCEL, {"id": ingestion_id})["cancelPartitionBackfill"]
        if answer["__typename"] != "CancelBackfillSuccess":
            raise _refused(answer)
        return self.status(ingestion_id)

    def _bill_assets(self) -> list[list[str]]:
        """The assets partitioned by month and source, found by their shape, not by their names."""
        found = self._dagster.ask(graphql.ASSETS, {})["repositoriesOrError"]
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
            raise OrchestratorRefusedError(
                "Dagster has no asset partitioned by month and source: its code location is not loaded. "
                "Dagster's own page shows why."
            )
        return assets


def _tags(of: dict[str, Any]) -> dict[str, str]:
    return {t["key"]: t["value"] for t in of.get("tags", ())}


def _asked(tags: dict[str, str]) -> Selection:
    """What a backfill of ours was launched for."""
    return Selection(tags[_START_TAG], tags[_END_TAG], tuple(tags[_SOURCES_TAG].split(",")))


def _progress(selection: Selection, runs: Sequence[dict[str, Any]]) -> dict[str, State]:
    """Partition → its state: that of the runs that hold it; queued while none does."""
    states: dict[str, set[State]] = {key: set() for key in selection.partitions()}
    for run in runs:
        tags = _tags(run)
        first = tags.get(_RANGE_START_TAG, tags.get(_PARTITION_TAG, ""))
        last = tags.get(_RANGE_END_TAG, first)
        for key, found in states.items():
            if in_range(key, first, last, selection.sources):
                found.add(_RUN_STATES.get(run["status"], "queued"))
    order: tuple[State, ...] = ("running", "queued", "failed", "canceled", "succeeded")
    return {key: next((s for s in order if s in found), "queued") for key, found in states.items()}


def _refused(answer: dict[str, Any]) -> OrchestratorRefusedError:
    return OrchestratorRefusedError(f"{answer['__typename']}: {answer.get('message', 'no text')}")

"""What is asked of Dagster, in its GraphQL, and the one place that asks it."""

from __future__ import annotations

from typing import Any

import httpx

from finops_assets.orchestrator.errors import OrchestratorDownError, OrchestratorRefusedError

ASSETS = """
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

LAUNCH = """
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

STATUS = """
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

RECENT = """
query ($after: Float!) {
  partitionBackfillsOrError(limit: 1000, filters: {createdAfter: $after}) {
    __typename
    ... on PartitionBackfills { results { id tags { key value } } }
    ... on PythonError { message }
  }
}
"""

CANCEL = """
mutation ($id: String!) {
  cancelPartitionBackfill(backfillId: $id) {
    __typename
    ... on PythonError { message }
    ... on UnauthorizedError { message }
  }
}
"""


class GraphQL:
    """Dagster's endpoint at `url`, safe to share between threads."""

    def __init__(self, url: str, client: httpx.Client | None = None) -> None:
        self._url = url
        self._client = client or httpx.Client(timeout=httpx.Timeout(30, connect=3), trust_env=False)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def ask(self, query: str, variables: dict[str, Any]) -> dict[str, Any]:
        """The answer's data. Raises OrchestratorDownError and OrchestratorRefusedError."""
        try:
            answer = self._client.post(self._url, json={"query": query, "variables": variables})
            body = answer.json()
        except httpx.TransportError as error:
            raise OrchestratorDownError(
                f"Nothing answers at {self._url} ({type(error).__name__}). Start Dagster with `finops run`, "
                "or set FINOPS_SERVICES__DAGSTER_PORT to where it listens."
            ) from error
        except ValueError as error:
            raise OrchestratorRefusedError(
                f"{self._url} answered {answer.status_code} with something that is not GraphQL."
            ) from error
        if body.get("errors") or not body.get("data"):
            messages = "; ".join(e["message"] for e in body.get("errors", ())) or "no data"
            raise OrchestratorRefusedError(f"Dagster answered: {messages}")
        data: dict[str, Any] = body["data"]
        return data

"""What may go wrong between a face and Dagster; each text says what to do."""

from __future__ import annotations


class OrchestratorDownError(Exception):
    """Dagster does not answer."""


class OrchestratorRefusedError(Exception):
    """Dagster answers, but not with what was asked for."""


class IngestionNotFoundError(LookupError):
    """No ingestion that was launched here has that id."""


class KeyReusedError(ValueError):
    """The idempotency key was used for another request."""

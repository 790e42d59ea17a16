"""The app behind its lock, over a warehouse that tests only read, with a store of keys of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from fastapi.testclient import TestClient

from finops_api.app import create_app
from finops_assets.access import keys
from finops_assets.access.roles import Role
from finops_assets.access.scope import WHOLE, Scope
from finops_assets.access_settings import Access
from finops_assets.settings import Paths, Services, Settings

NOBODY_LISTENS = 9


def locked_settings(built: Settings, folder: Path, access: Access | None = None) -> Settings:
    """Settings of the same bills with the lock on; what people do is kept in `folder`."""
    for name in ("lake", "warehouse"):
        (folder / name).symlink_to(built.paths.data / name)
    return built.model_copy(
        update={
            "paths": Paths(data=folder),
            "access": access or Access(api_keys=True),
            "services": Services(dagster_port=NOBODY_LISTENS),
        }
    )


@contextmanager
def locked_client(settings: Settings) -> Iterator[TestClient]:
    with TestClient(create_app(settings), raise_server_exceptions=False) as client:
        yield client


def bearer(
    settings: Settings,
    name: str,
    role: Role = "viewer",
    scope: Scope = WHOLE,
    *,
    lives: timedelta | None = None,
) -> dict[str, str]:
    """The header of a new key."""
    now = datetime.now(UTC)
    text = keys.create(
        settings.paths.access, name, role, scope, expires_at=None if lives is None else now + lives, now=now
    )
    return {"Authorization": f"Bearer {text}"}

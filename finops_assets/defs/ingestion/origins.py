"""From a configured source to the object that lists and fetches its bills."""

from __future__ import annotations

from finops_assets.defs.resources import Platform
from finops_assets.intake.catalog import Catalog, Looked
from finops_assets.settings import DemoSource
from finops_assets.sources.base import BillSource
from finops_assets.sources.files import FolderSource


def open_source(platform: Platform, name: str) -> BillSource:
    """The source of that name. Raises KeyError when finops.toml has none."""
    configured = platform.settings.sources[name]
    if isinstance(configured, DemoSource):
        return FolderSource(name, platform.settings.paths.demo / configured.provider)
    return FolderSource(name, configured.path, configured.format)


_looked: dict[str, Looked] = {}


def open_catalog(platform: Platform, name: str) -> Catalog:
    """The source's deliveries by month. A loose file is looked into once a process, not once a tick."""
    looked = _looked.setdefault(name, {})
    return Catalog(open_source(platform, name), platform.engine, platform.settings.paths.staging, looked)

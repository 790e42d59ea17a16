"""From a configured source to the object that lists and fetches its bills."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pyarrow as pa

from finops_assets.defs.resources import Platform
from finops_assets.intake.catalog import Catalog
from finops_assets.settings import Settings
from finops_assets.source_settings import (
    AwsExportSource,
    AwsSource,
    AzureExportSource,
    AzureQuerySource,
    BigQuerySource,
    BlobFilesSource,
    BucketSource,
    CostExplorerSource,
    DemoSource,
    FilesSource,
    GcsFilesSource,
    S3FilesSource,
    Source,
    Window,
)
from finops_assets.sources.base import BillSource
from finops_assets.sources.folder import FolderStore
from finops_assets.sources.stored import StoredSource

if TYPE_CHECKING:
    from finops_assets.sources.aws.access import AwsAccess


def open_source(platform: Platform, name: str) -> BillSource:
    """The source of that name. Raises KeyError when finops.toml has none."""
    return connect(name, platform.settings.sources[name], platform.settings)


def connect(name: str, configured: Source, settings: Settings) -> BillSource:
    """The source that `configured` describes. Each provider's SDK is imported only where it is used."""
    match configured:
        case DemoSource():
            return StoredSource(name, FolderStore(settings.paths.demo / configured.provider))
        case FilesSource():
            return StoredSource(name, FolderStore(configured.path), configured.format)
        case AwsExportSource() | S3FilesSource() | CostExplorerSource():
            return _aws(name, configured, settings)
        case AzureExportSource() | BlobFilesSource() | AzureQuerySource():
            return _azure(name, configured, settings)
        case GcsFilesSource() | BigQuerySource():
            return _gcp(name, configured, settings)


def ask_account_names(platform: Platform, name: str) -> pa.Table | None:
    """AccountId, AccountName as the source's provider knows them now; None where it is not asked.

    Raises SourceError.
    """
    configured = platform.settings.sources[name]
    if not (isinstance(configured, BucketSource) and configured.account_names):
        return None
    from finops_assets.sources.aws.organizations import account_names

    return account_names(_aws_access(configured))


def _aws(
    name: str, given: AwsExportSource | S3FilesSource | CostExplorerSource, all_of: Settings
) -> BillSource:
    from finops_assets.sources.aws.cost_explorer import CostExplorerSource as CostExplorer
    from finops_assets.sources.aws.s3 import S3Store

    access = _aws_access(given)
    if isinstance(given, CostExplorerSource):
        return CostExplorer(
            name,
            access,
            months=_months(given, all_of),
            today=datetime.now(UTC).date(),
            open_months=given.open_months,
            call_budget=given.call_budget,
        )
    store = S3Store(access, given.bucket, given.prefix)
    return StoredSource(name, store, given.format, manifests_only=isinstance(given, AwsExportSource))


def _aws_access(given: AwsSource) -> AwsAccess:
    from finops_assets.sources.aws.access import AwsAccess

    return AwsAccess(given.profile, given.role_arn, given.external_id, given.region, given.endpoint_url)


def _azure(
    name: str, given: AzureExportSource | BlobFilesSource | AzureQuerySource, all_of: Settings
) -> BillSource:
    if isinstance(given, AzureQuerySource):
        from finops_assets.sources.azure.query import CostQuerySource

        return CostQuerySource(
            name,
            given.scope,
            months=_months(given, all_of),
            today=datetime.now(UTC).date(),
            open_months=given.open_months,
            endpoint=given.endpoint,
        )
    from finops_assets.sources.azure.blob import BlobStore

    store = BlobStore(given.account_url, given.container, given.prefix, given.connection_variable)
    return StoredSource(name, store, given.format, manifests_only=isinstance(given, AzureExportSource))


def _gcp(name: str, given: GcsFilesSource | BigQuerySource, all_of: Settings) -> BillSource:
    if isinstance(given, BigQuerySource):
        from finops_assets.sources.gcp import bigquery

        project = given.job_project or given.table.rsplit(".", 2)[0]
        table = bigquery.ExportTable(given.table, project, given.maximum_bytes_billed, given.endpoint)
        now = datetime.now(UTC)
        return bigquery.BigQuerySource(name, table, all_of.first_month, given.every_hours, now)
    from finops_assets.sources.gcp.gcs import GcsStore

    return StoredSource(name, GcsStore(given.bucket, given.prefix, given.endpoint), given.format)


def _months(window: Window, settings: Settings) -> tuple[str, ...]:
    """The months that an API is asked for: back to `history_months`, not before `first_month`."""
    today = datetime.now(UTC)
    newest = today.year * 12 + today.month - 1
    back = range(newest - window.history_months + 1, newest + 1)
    months = (f"{n // 12:04d}-{n % 12 + 1:02d}" for n in back)
    return tuple(m for m in months if m >= settings.first_month)


def open_catalog(platform: Platform, name: str) -> Catalog:
    """The source's deliveries by month."""
    return Catalog(open_source(platform, name), platform.engine, platform.settings.paths.staging)

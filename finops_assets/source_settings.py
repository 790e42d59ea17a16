"""Where bills come from, as finops.toml says it: one class a kind of source.

No secret is here: each provider's own SDK finds its credentials (profiles, roles, workload identity).
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field


class Strict(BaseModel):
    """A part of the configuration: unknown keys are errors, not typos that pass silently."""

    model_config = ConfigDict(extra="forbid", frozen=True)


FormatName: TypeAlias = Annotated[str, Field(description="A format's name, where detection is not wanted.")]


class FilesSource(Strict):
    """A folder of bills, native or FOCUS, as delivered: CSV, CSV.gz or Parquet."""

    kind: Literal["files"] = "files"
    path: Path
    format: FormatName | None = None


class DemoSource(Strict):
    """Bills that this project writes itself in a provider's native layout."""

    kind: Literal["demo"] = "demo"
    provider: Literal["aws", "azure", "gcp"]


class AwsSource(Strict):
    """How to reach AWS: boto3's own chain, a named profile (SSO too), a role in another account."""

    profile: str | None = Field(default=None, description="A profile of ~/.aws/config.")
    role_arn: str | None = Field(default=None, description="A role to assume, in the payer's account.")
    external_id: str | None = Field(default=None, description="What that role's trust policy asks for.")
    region: str | None = None
    endpoint_url: str | None = Field(default=None, description="Another endpoint than AWS's own.")


class BucketSource(AwsSource):
    """Where in S3 bills lie, and what they leave out."""

    bucket: str
    prefix: str = ""
    format: FormatName | None = None
    account_names: bool = Field(
        default=False, description="Ask AWS Organizations for account names; legacy CUR has none."
    )


class AwsExportSource(BucketSource):
    """Data Exports (CUR 2.0, FOCUS) or legacy CUR in S3, by their manifests."""

    kind: Literal["aws_export"] = "aws_export"


class S3FilesSource(BucketSource):
    """Bill files in S3, with or without manifests."""

    kind: Literal["s3_files"] = "s3_files"


class Window(Strict):
    """Which months an API is asked for: the open ones again every day, older ones once."""

    open_months: int = Field(default=2, ge=1, description="The current month and those before it.")
    history_months: int = Field(default=13, ge=1, le=38, description="How far back the first refresh goes.")


class CostExplorerSource(AwsSource, Window):
    """AWS Cost Explorer, for accounts without an export. Each call costs $0.01."""

    kind: Literal["aws_cost_explorer"] = "aws_cost_explorer"
    call_budget: int = Field(default=100, ge=2, description="Calls that one month may take at most.")


class BlobSource(Strict):
    """How to reach a blob container: DefaultAzureCredential, or a connection string in the environment."""

    account_url: str = Field(pattern="^https?://")
    container: str
    prefix: str = ""
    connection_variable: str | None = Field(
        default=None, description="The environment variable that holds a connection string."
    )
    format: FormatName | None = None


class AzureExportSource(BlobSource):
    """Cost Management exports in Blob storage, by their manifests."""

    kind: Literal["azure_export"] = "azure_export"


class BlobFilesSource(BlobSource):
    """Bill files in Blob storage, with or without manifests."""

    kind: Literal["blob_files"] = "blob_files"


class AzureQuerySource(Window):
    """The Cost Management Query API, for scopes without an export."""

    kind: Literal["azure_query"] = "azure_query"
    scope: str = Field(description="Such as /subscriptions/<id>, or a billing account's.", pattern="^/")
    endpoint: str = "https://management.azure.com"


class GcsFilesSource(Strict):
    """Bill files in Cloud Storage, with or without manifests."""

    kind: Literal["gcs_files"] = "gcs_files"
    bucket: str
    prefix: str = ""
    format: FormatName | None = None
    endpoint: str | None = None


class BigQuerySource(Strict):
    """Google Cloud's billing export in BigQuery: standard, detailed, or the FOCUS view."""

    kind: Literal["gcp_bigquery"] = "gcp_bigquery"
    table: str = Field(description="project.dataset.table", pattern=r"^[\w.:-]+\.\w+\.[\w-]+$")
    job_project: str | None = Field(
        default=None, description="The project that queries run in; the table's own when it is not said."
    )
    every_hours: int = Field(default=6, ge=1, le=24, description="How often a growing month is read again.")
    maximum_bytes_billed: int = Field(
        default=100 * 2**30, ge=10 * 2**20, description="Bytes that one query may bill at most."
    )
    endpoint: str | None = None


Source: TypeAlias = Annotated[
    FilesSource
    | DemoSource
    | AwsExportSource
    | S3FilesSource
    | CostExplorerSource
    | AzureExportSource
    | BlobFilesSource
    | AzureQuerySource
    | GcsFilesSource
    | BigQuerySource,
    Field(discriminator="kind"),
]

"""Tables in the form that the caller accepts: JSON, CSV, Parquet or an Arrow stream."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeAlias

import pyarrow as pa
import pyarrow.csv
import pyarrow.ipc
import pyarrow.parquet
from fastapi import Depends, Request, Response
from fastapi.responses import StreamingResponse
from werkzeug.datastructures import MIMEAccept
from werkzeug.http import parse_accept_header

from finops_api.deps import AsOf, Reading, hold
from finops_api.errors import NotAcceptableProblem
from finops_assets.queries.export import as_text

Format: TypeAlias = Literal["json", "csv", "parquet", "arrow"]

MEDIA_TYPES: dict[Format, str] = {
    "json": "application/json",
    "csv": "text/csv",
    "parquet": "application/vnd.apache.parquet",
    "arrow": "application/vnd.apache.arrow.stream",
}
"""What can be asked for in the header Accept; the first is what a caller gets who asks for nothing."""

DESCRIPTION = (
    "The header `Accept` chooses the form: `application/json`, `text/csv` (amounts as decimal texts; a text "
    "that a spreadsheet would run as a formula has an apostrophe before it), "
    "`application/vnd.apache.parquet` or `application/vnd.apache.arrow.stream` (amounts as decimal128)."
)


@dataclass(frozen=True)
class FormattedReading:
    """One published state, and the form in which it is to be told."""

    reading: Reading
    format: Format

    def table(
        self,
        name: str,
        schema: pa.Schema,
        batches: Iterable[pa.RecordBatch],
        about: Mapping[str, Any],
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """The batches as a file called `name`, sent while they are read.

        `about` says what the table is; Parquet and Arrow carry it as JSON in their metadata, under `finops`.
        """
        stamped = json.dumps({"snapshot": self.reading.stamp, **about}, default=str)
        described = schema.with_metadata({"finops": stamped})
        days = "-".join(str(about[k]) for k in ("start_date", "end_date"))
        return StreamingResponse(
            _WRITERS[self.format](described, batches),
            media_type=MEDIA_TYPES[self.format],
            headers={
                **self.reading.headers,
                "Content-Disposition": f'attachment; filename="{name}-{days}.{self.format}"',
                **(headers or {}),
            },
        )


def accepted(request: Request) -> Format:
    """The form that the caller likes best. Raises a 406 problem when it is none of ours."""
    given = request.headers.get("accept") or "*/*"
    best = parse_accept_header(given, MIMEAccept).best_match(MEDIA_TYPES.values())
    for name, media_type in MEDIA_TYPES.items():
        if media_type == best:
            return name
    raise NotAcceptableProblem(
        f"Accept: {given!r} names no form of this answer. Allowed: {', '.join(MEDIA_TYPES.values())}.",
        allowed=list(MEDIA_TYPES.values()),
    )


def formatted_reading(request: Request, as_of: AsOf = None) -> Iterator[FormattedReading]:
    """The state asked for in the form asked for; raises what `reading` and `accepted` raise."""
    chosen = accepted(request)
    for held in hold(request, as_of, "" if chosen == "json" else chosen):
        yield FormattedReading(held, chosen)


CurrentFormattedReading = Annotated[FormattedReading, Depends(formatted_reading)]

TABULAR: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {
            MEDIA_TYPES["csv"]: {"schema": {"type": "string"}},
            **{
                MEDIA_TYPES[f]: {"schema": {"type": "string", "format": "binary"}}
                for f in ("parquet", "arrow")
            },
        }
    }
}
"""OpenAPI's words for the forms beside JSON."""


class _Sent(io.RawIOBase):
    """A file that is only written to; what was written is taken away piece by piece."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._at = 0

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def write(self, data: Any) -> int:
        piece = bytes(data)
        self._pieces.append(piece)
        self._at += len(piece)
        return len(piece)

    def take(self) -> bytes:
        """What was written since the last time."""
        piece = b"".join(self._pieces)
        self._pieces.clear()
        return piece


def _csv(schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> Iterator[bytes]:
    sent = _Sent()
    text = pa.schema([(name, pa.string()) for name in schema.names])
    with pyarrow.csv.CSVWriter(sent, text) as writer:
        for batch in batches:
            writer.write_table(as_text(pa.Table.from_batches([batch])).cast(text))
            yield sent.take()
    yield sent.take()


def _parquet(schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> Iterator[bytes]:
    sent = _Sent()
    with pyarrow.parquet.ParquetWriter(sent, schema, compression="zstd") as writer:
        for batch in batches:
            writer.write_batch(batch.replace_schema_metadata(schema.metadata))
            yield sent.take()
    yield sent.take()


def _arrow(schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> Iterator[bytes]:
    sent = _Sent()
    with pyarrow.ipc.new_stream(sent, schema) as writer:
        for batch in batches:
            writer.write_batch(batch.replace_schema_metadata(schema.metadata))
            yield sent.take()
    yield sent.take()


_WRITERS = {"csv": _csv, "parquet": _parquet, "arrow": _arrow}

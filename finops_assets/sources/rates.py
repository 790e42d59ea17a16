"""Exchange rates as the European Central Bank publishes them, from its address or a file."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import httpx

from finops_assets.sources.base import SourceError, TransientError

TIMEOUT_SECONDS = 60


def read_rates(where: str) -> bytes:
    """The CSV of rates at an https address or path; out of the ZIP that it may be in.

    Its form (ECB, "Euro foreign exchange reference rates", eurofxref-hist): a column `Date` and one for each
    currency, each rate the units of that currency for one euro. Raises SourceError, TransientError.
    """
    given = _download(where) if where.startswith(("https://", "http://")) else _open(Path(where))
    if not zipfile.is_zipfile(io.BytesIO(given)):
        return given
    with zipfile.ZipFile(io.BytesIO(given)) as archive:
        names = [name for name in archive.namelist() if name.endswith(".csv")]
        if len(names) != 1:
            raise SourceError(f"{where}: expected one CSV file in the ZIP; found {len(names)}")
        return archive.read(names[0])


def _open(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise SourceError(f"exchange rates: {path} cannot be read ({error.strerror})") from None


def _download(url: str) -> bytes:
    try:
        answer = httpx.get(url, timeout=TIMEOUT_SECONDS, follow_redirects=True)
    except httpx.HTTPError as error:
        raise TransientError(f"exchange rates: {url} does not answer ({error})") from None
    if answer.status_code >= 500:
        raise TransientError(f"exchange rates: {url} answers {answer.status_code}")
    if answer.status_code != 200:
        raise SourceError(f"exchange rates: {url} answers {answer.status_code}; check [currency] rates")
    return answer.content

"""How much memory a large bill takes: a month of CUR 2.0 in Parquet, from a real S3 server to `costs`.

    .venv/bin/python -m benchmarks.big_bill --gigabytes 5 --memory-limit 400MB --folder /var/tmp/big-bill

Writes the bill (wider rows of the demo's, every line with an id and every resource with tags of its own),
serves it from moto_server, runs `finops ingest` in a process of its own, and prints the peak of that
process's resident memory as the operating system counts it. Needs about four times the bill's size on disk.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from decimal import Decimal
from pathlib import Path

import duckdb

from tests.ingestion.connected import Connected
from tests.services.moto import CREDENTIALS, REGION, Moto, running_moto

BUCKET = "billing"
FILE_BYTES = 256 * 10**6

_WIDER = """
COPY (
    SELECT * REPLACE (
        sha256(concat(identity_line_item_id, c.copy, x.file)) AS identity_line_item_id,
        'arn:aws:ec2:us-east-1:310448120000:instance/i-'
            || md5(concat(line_item_resource_id, c.copy, x.file)) AS line_item_resource_id,
        map_concat(resource_tags, MAP {{
            'user_pod': 'pod-' || md5(concat(c.copy, x.file, line_item_resource_id)),
            'user_build': sha256(concat(line_item_resource_id, c.copy, x.file))
        }}) AS resource_tags
    )
    FROM read_parquet(?), range(?) AS c(copy), (SELECT ? AS file) AS x
) TO '{path}' (FORMAT parquet, COMPRESSION snappy)
"""

_PEAK = """
import resource, subprocess, sys
code = subprocess.run(sys.argv[1:]).returncode
print(code, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""
"""Runs a command below a small process: a child's count begins at the size of the process that forks it."""


def write_bill(folder: Path, size: int) -> tuple[str, list[Path]]:
    """A month, and files of about 256 MB that are `size` bytes together; those of an earlier run if there."""
    finops = Path(sys.executable).parent / "finops"
    demo = [str(finops), "demo", "--to", str(folder / "demo"), "--rows", "400000", "--months", "2"]
    if not (folder / "demo").is_dir():
        subprocess.run(demo, check=True)
    month = sorted((folder / "demo" / "aws").glob("*/data/*"))[0]
    name = month.name.removeprefix("BILLING_PERIOD=")
    files = sorted(folder.glob("bill-*.parquet"))
    times = 1
    if files:
        return name, files
    while sum(f.stat().st_size for f in files) < size:
        path = folder / f"bill-{len(files):05d}.snappy.parquet"
        with duckdb.connect() as connection:
            connection.execute("SET memory_limit = '4GB'")
            connection.execute(f"SET temp_directory = '{folder}/spill'")
            connection.execute(_WIDER.format(path=path), [f"{month}/*.parquet", times, len(files)])
        if times == 1:  # a first try tells how often the month goes into a file
            times = max(FILE_BYTES // path.stat().st_size, 2)
        else:
            files.append(path)
    return name, files


def total(files: list[Path]) -> tuple[int, Decimal]:
    """Rows and unblended cost of the files."""
    with duckdb.connect() as connection:
        found = connection.execute(
            # A double's shortest text is the figure of the bill.
            "SELECT count(*), sum(CAST(CAST(line_item_unblended_cost AS VARCHAR) AS DECIMAL(38, 18))) "
            "FROM read_parquet(?)",
            [[str(f) for f in files]],
        ).fetchone()
    assert found is not None
    return found


def deliver(moto: Moto, month: str, files: list[Path]) -> None:
    """Lay the files into the bucket as Data Exports does, their manifest last."""
    s3 = moto.owner("s3")
    s3.create_bucket(Bucket=BUCKET)
    keys = [f"cur/data/BILLING_PERIOD={month}/{file.name}" for file in files]
    for key, file in zip(keys, files, strict=True):
        s3.upload_file(str(file), BUCKET, key)
    manifest = {"executionId": "1", "dataFiles": [f"s3://{BUCKET}/{key}" for key in keys]}
    key = f"cur/metadata/BILLING_PERIOD={month}/cur-Manifest.json"
    s3.put_object(Bucket=BUCKET, Key=key, Body=json.dumps(manifest).encode())


def main() -> None:
    """Measure, and print a line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gigabytes", type=float, default=5)
    parser.add_argument("--memory-limit", default="400MB")
    parser.add_argument("--folder", type=Path, required=True)
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    month, files = write_bill(given.folder, int(given.gigabytes * 1e9))
    rows, billed = total(files)
    size = sum(f.stat().st_size for f in files)
    platform = Connected(given.folder, CREDENTIALS)
    with running_moto() as moto:
        deliver(moto, month, files)
        platform.configure(
            f'memory_limit = "{given.memory_limit}"\n[sources.aws-main]\nkind = "aws_export"\n'
            f'bucket = "{BUCKET}"\nprefix = "cur"\nregion = "{REGION}"\nendpoint_url = "{moto.url}"\n'
        )
        begun = time.monotonic()
        command = [sys.executable, "-c", _PEAK, str(Path(sys.executable).parent / "finops"), "ingest"]
        printed = subprocess.run(
            command, env=platform.environment, stdout=subprocess.PIPE, text=True, check=True
        ).stdout
        seconds = time.monotonic() - begun
    *told, last = printed.splitlines()
    print("\n".join(told))
    code, peak = map(int, last.split())
    landed = platform.query("SELECT count(*), sum(BilledCost) FROM costs")
    print(
        f"{size:,} bytes of Parquet in {len(files)} files, {rows:,} rows, {billed} billed; "
        f"exit {code}; costs hold {landed}; "
        f"{peak / 1024:,.0f} MiB at the peak, {seconds:,.0f} s"
    )


if __name__ == "__main__":
    main()

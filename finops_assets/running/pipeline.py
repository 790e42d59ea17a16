"""Materialize in this process, on the instance that the Dagster UI shows, with progress."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import dagster as dg
from rich.progress import Progress, TaskID

_FINISHED = {
    dg.DagsterEventType.STEP_SUCCESS,
    dg.DagsterEventType.STEP_FAILURE,
    dg.DagsterEventType.STEP_SKIPPED,
}
_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


def run_job(job_name: str, tags: Mapping[str, str], progress: Progress, label: str) -> bool:
    """Run one job in this process; whether it succeeded. Progress counts its steps."""
    from finops_assets.definitions import defs

    instance = dg.DagsterInstance.get()
    job = defs.resolve_job_def(job_name)
    run_id = str(uuid.uuid4())
    task = progress.add_task(label, total=len(job.graph.node_dict))
    with _following(instance, run_id, progress, task, label):
        result = job.execute_in_process(
            instance=instance, run_id=run_id, tags=dict(tags), raise_on_error=False, run_config=_QUIET
        )
    progress.update(task, description=label if result.success else f"[red]{label}: failed")
    return result.success


def failures(job_name: str) -> list[str]:
    """What the newest run of the job says went wrong, a line each."""
    instance = dg.DagsterInstance.get()
    runs = instance.get_runs(filters=dg.RunsFilter(job_name=job_name), limit=1)
    if not runs:
        return []
    logs = instance.all_logs(runs[0].run_id, of_type=dg.DagsterEventType.STEP_FAILURE)
    return [
        f"{e.step_key}: {(e.dagster_event.step_failure_data.error_display_string).strip().splitlines()[-1]}"
        for e in logs
        if e.dagster_event is not None
    ]


@contextmanager
def _following(
    instance: dg.DagsterInstance, run_id: str, progress: Progress, task: TaskID, label: str
) -> Iterator[None]:
    """Advance the bar as the run's steps end, until the block does."""
    over = threading.Event()

    def follow() -> None:
        while not over.wait(0.25):
            advance()

    def advance() -> None:
        logs = instance.all_logs(run_id, of_type=_FINISHED)
        last = f"{label}: {logs[-1].step_key}" if logs else label
        progress.update(task, completed=len(logs), description=last)

    thread = threading.Thread(target=follow, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        advance()

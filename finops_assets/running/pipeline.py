"""Materialize in this process, on the instance that the Dagster UI shows, with progress."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import dagster as dg
from dagster_shared.error import SerializableErrorInfo
from rich.progress import Progress, TaskID

_FINISHED = {
    dg.DagsterEventType.STEP_SUCCESS,
    dg.DagsterEventType.STEP_FAILURE,
    dg.DagsterEventType.STEP_SKIPPED,
}
_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


def run_job(
    job_name: str,
    tags: Mapping[str, str],
    progress: Progress,
    label: str,
    only: Sequence[str] | None = None,
) -> list[str]:
    """Run one job, or `only` some of its assets, in this process; what went wrong, a line each.

    Progress counts steps.
    """
    from finops_assets.definitions import defs

    instance = dg.DagsterInstance.get()
    job = defs.resolve_job_def(job_name)
    run_id = str(uuid.uuid4())
    task = progress.add_task(label, total=len(only or job.graph.node_dict))
    selection = [dg.AssetKey(name) for name in only] if only else None
    with _following(instance, run_id, progress, task, label):
        result = job.execute_in_process(
            instance=instance,
            run_id=run_id,
            tags=dict(tags),
            raise_on_error=False,
            run_config=_QUIET,
            asset_selection=selection,
        )
    progress.update(task, description=label if result.success else f"[red]{label}: failed")
    return [] if result.success else failures(run_id)


def failures(run_id: str) -> list[str]:
    """What a run says went wrong, a line each: failed steps, and checks that stopped it."""
    instance = dg.DagsterInstance.get()
    logs = instance.all_logs(run_id, of_type=dg.DagsterEventType.STEP_FAILURE)
    return [
        f"{entry.step_key}: {_root_message(entry.dagster_event.step_failure_data.error)}"
        for entry in logs
        if entry.dagster_event is not None
    ]


def _root_message(error: SerializableErrorInfo | None) -> str:
    """The first cause's own text: what went wrong, without the frames around it."""
    while error is not None and error.cause is not None:
        error = error.cause
    return "no error was recorded" if error is None else error.message.strip()


@contextmanager
def _following(
    instance: dg.DagsterInstance, run_id: str, progress: Progress, task: TaskID, label: str
) -> Iterator[None]:
    """Advance the bar as the run's steps end and say what it says, until the block does."""
    over = threading.Event()
    told = Told(instance, run_id)

    def follow() -> None:
        while not over.wait(0.25):
            show()

    def show() -> None:
        told.read_on()
        last = f"{label}: {told.last}" if told.last else label
        progress.update(task, completed=told.finished, description=last)

    thread = threading.Thread(target=follow, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        show()


class Told:
    """What a run's log has told so far: how many steps ended, and the newest step or line of its own."""

    def __init__(self, instance: dg.DagsterInstance, run_id: str) -> None:
        self._instance, self._run_id = instance, run_id
        self._cursor: str | None = None
        self.finished = 0
        self.last: str | None = None

    def read_on(self) -> None:
        """Take in what the log has told since."""
        news = self._instance.get_records_for_run(self._run_id, self._cursor)
        self._cursor = news.cursor
        for entry in (record.event_log_entry for record in news.records):
            if not entry.is_dagster_event:
                self.last = entry.user_message
            elif entry.dagster_event_type in _FINISHED:
                self.finished += 1
                self.last = entry.step_key

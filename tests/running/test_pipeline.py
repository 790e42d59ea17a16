import dagster as dg

from finops_assets.running.pipeline import Told


def test_a_run_tells_its_steps_and_its_own_lines_as_they_come() -> None:
    instance = dg.DagsterInstance.ephemeral()
    seen: list[tuple[int, str | None]] = []

    @dg.op
    def first(context: dg.OpExecutionContext) -> int:
        told = Told(instance, context.run_id)
        told.read_on()
        context.log.info("fetching march.parquet: 12.0 of 80.0 MB, 9.1 MB/s")
        seen.append((told.finished, told.last))
        told.read_on()
        seen.append((told.finished, told.last))
        return 1

    @dg.op
    def second(number: int) -> int:
        return number

    @dg.job
    def run() -> None:
        second(first())

    done = run.execute_in_process(instance=instance)
    told = Told(instance, done.run_id)
    told.read_on()
    assert seen == [(0, None), (0, "fetching march.parquet: 12.0 of 80.0 MB, 9.1 MB/s")]
    assert (told.finished, told.last) == (2, "second")

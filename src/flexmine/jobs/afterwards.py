"""What follows every run, however it ended: the metrics file, and notices where its exit code is not 0."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from types import TracebackType

from flexmine.errors import EXIT_CODES, EXIT_INTERNAL, BadInput, FlexmineError
from flexmine.jobs.calendar import site_time
from flexmine.jobs.health import Health, health
from flexmine.jobs.job import Job
from flexmine.jobs.metrics import write_metrics
from flexmine.jobs.notice import Bulletin, send_notices


@dataclass
class Afterwards:
    """The context of a run, in which it sets its exit code; an error that passes through is noted and raised on.

    `kind` is the command, `at` (aware) what its clock showed where that is not the machine's: a notice has the health
    as of then.  Whatever goes wrong in here is passed to `warn` and does not change how the run ends.
    """

    kind: str
    job: Job
    run_id: str
    warn: Callable[[str], None]
    exit_code: int = 0
    message: str = ""
    at: datetime | None = None

    def __enter__(self) -> Afterwards:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        status = next((s.value for s, code in EXIT_CODES.items() if code == self.exit_code), "planned")
        if error is not None:
            known = isinstance(error, FlexmineError)
            self.exit_code = error.exit_code if isinstance(error, FlexmineError) else EXIT_INTERNAL
            status = error.status if isinstance(error, FlexmineError) else "internal_error"
            self.message = str(error) if known else f"{type(error).__name__}: {error}"
        self._write_figures()
        if self.exit_code != 0:
            text = self._health()
            bulletin = Bulletin(self.kind, self.job.plant, self.run_id, self.exit_code, status, self.message, text)
            send_notices(self.job.document.notices, bulletin, self.warn)

    def _write_figures(self) -> None:
        """Write the metrics file, by the clock of the machine: monitors compare its times with their own."""
        if self.job.document.metrics is None:
            return
        try:
            write_metrics(self._by_the_machine, self.job.path_of(self.job.document.metrics))
        except BadInput as error:
            self.warn(error.messages[0])

    @cached_property
    def _by_the_machine(self) -> Health:
        return health(self.job, datetime.now(UTC))

    def _health(self) -> str:
        """Return the health of the plant by the clock of the run; a clock that was made up is named."""
        if self.at is None:
            return "\n".join(self._by_the_machine.lines)
        head = f"as if the clock showed {site_time(self.at, self.job.zone)} (--at):"
        return "\n".join([head, *health(self.job, self.at).lines])

"""What follows every run, however it ended: the metrics file, and notices where its exit code is not 0."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType

from flexmine.errors import EXIT_CODES, EXIT_INTERNAL, BadInput, FlexmineError
from flexmine.jobs.health import health
from flexmine.jobs.job import Job
from flexmine.jobs.metrics import write_metrics
from flexmine.jobs.notice import Bulletin, send_notices


@dataclass
class Afterwards:
    """The context of a run, in which it sets its exit code; an error that passes through is noted and raised on.

    `kind` is the command.  Whatever goes wrong in here is passed to `warn` and does not change how the run ends.
    """

    kind: str
    job: Job
    run_id: str
    warn: Callable[[str], None]
    exit_code: int = 0
    message: str = ""

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
        text = self._look()
        if self.exit_code != 0:
            bulletin = Bulletin(self.kind, self.job.plant, self.run_id, self.exit_code, status, self.message, text)
            send_notices(self.job.document.notices, bulletin, self.warn)

    def _look(self) -> str:
        """Return the health of the plant as text, and write the metrics file."""
        found = health(self.job, datetime.now(UTC))
        try:
            if self.job.document.metrics is not None:
                write_metrics(found, self.job.path_of(self.job.document.metrics))
        except BadInput as error:
            self.warn(error.messages[0])
        return "\n".join(found.lines)

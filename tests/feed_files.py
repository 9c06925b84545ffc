"""A folder of feed files and a search in it; times are whole hours from the beginning of the day that is planned."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from flexmine.jobs.feeds import newest
from flexmine.jobs.schema import Feed
from flexmine.jobs.search import Files as Looked
from flexmine.jobs.search import Search
from flexmine.problem import TimeAxis

START = datetime(2024, 6, 4, tzinfo=UTC)
AS_OF = -6
HOURS = 24
AXIS = TimeAxis(START, 1.0, HOURS, "UTC")
SERIES = "sources.surplus.available_mw"


def at(hour):
    return START + timedelta(hours=hour)


def row(hour, value, issued=None, revision=None):
    time = hour if isinstance(hour, str) else at(hour).isoformat()
    ahead = [] if issued is None else [at(issued).isoformat()]
    return ",".join([*ahead, *([] if revision is None else [str(revision)]), time, str(value)])


class Files:
    """A folder of feed files, and how the night asks for them."""

    def __init__(
        self, job, folder, *, column=False, revisions=False, look_ahead=0, as_of=AS_OF, publish_h=24.0, **keys
    ):
        self.folder, self.told = folder, []
        self.head = ["issued"] * column + ["revision"] * revisions + ["interval_start", "surplus_mw"]
        spec = {"every": "1h", "missing": ("NA", "-999")}
        spec |= {"issue_column": "issued"} if column else {}
        spec |= {"revision_column": "revision"} if revisions else {}
        spec |= {"stale_after_h": keys.pop("stale_after_h", None)}
        key = next(k for k in job.template.series() if k.dotted == SERIES)
        self.key = replace(key, spec=key.spec.model_copy(update=spec))
        document = {"series": [SERIES], "files": f"{folder}/s_*.csv", "max_age_h": 30, **keys}
        self.feed = Feed.model_validate(document)
        axis = replace(AXIS, steps=HOURS + look_ahead)
        self.search = Search(job, axis, publish_h, at(as_of), at(as_of), self.told.append)

    def fresh(self):
        """Forget all that was read."""
        self.search = replace(self.search, files=Looked())
        return self

    def add(self, stamp, rows, revision=0):
        tail = f"_r{revision}" if revision else ""
        path = self.folder / f"s_{at(stamp):%Y%m%dT%H%MZ}{tail}.csv"
        path.write_text("\n".join([",".join(self.head), *rows, ""]), encoding="utf-8")
        return path.name

    def span(self, stamp, first, last, value, revision=0):
        """Add a file of one issue, with one value from hour `first` to hour `last`."""
        return self.add(stamp, [row(h, value) for h in range(first, last)], revision)

    def newest(self):
        return newest(self.search, self.key, self.feed)

    def values(self):
        return self.newest().rows["surplus_mw"].astype(float).tolist()

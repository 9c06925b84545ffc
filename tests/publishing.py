"""Small plans in directories, ready to be published."""

from dataclasses import replace
from datetime import datetime, timedelta

from audit_plants import plan_of, schedule_of, two_containers, write_plan

PACKETS = {"box": {"miners": 400, "miners_per_packet": 10, "packet_interval_s": 5.0, "boot_s": 60.0}}
BEFORE = datetime.fromisoformat("2024-09-09T23:00:00+08:00")


def written(folder, *, hours=0, title="Two containers", **site):
    """Write the plan of the two containers, beginning `hours` later; it publishes four of its six steps."""
    problem = two_containers(**site)
    later = replace(problem.time, start=problem.time.start + timedelta(hours=hours))
    problem = replace(problem, time=later)
    return write_plan(plan_of(problem, schedule_of(problem), title=title, switching=PACKETS), folder)

"""Why containers may not run, or have to: outages, windows, orders and obligations of a case, by class and step."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from flexmine.assembly.fleet import Container, Limits
from flexmine.assembly.pins import pins_by_step
from flexmine.assembly.windows import Clock, runs_of
from flexmine.inputs.case import Case


@dataclass(frozen=True)
class Cause:
    """One limit that a document of the case sets, in the words of that document.

    Attributes
    ----------
    code : str
        ``outage``, ``window``, ``order`` or ``must_run``.
    text : str
        As a reader of the plan sees it.
    class_name : str or None
        None where it holds for the whole site.
    first_step, last_step : int
        Both included.
    """

    code: str
    text: str
    class_name: str | None
    first_step: int
    last_step: int

    def holds(self, class_name: str, step: int) -> bool:
        """Return whether it holds for the class `class_name` in `step`."""
        return self.class_name in (None, class_name) and self.first_step <= step <= self.last_step


def causes(case: Case, clock: Clock, held: Limits, groups: dict[str, list[Container]]) -> tuple[Cause, ...]:
    """Return the causes in the order of the case: windows, orders, outages, counts, must-run, pins.

    Parameters
    ----------
    case : Case
    clock : Clock
    held : Limits
        Of the same case, for the steps of windows and orders.
    groups : dict
        Containers by class name, as :func:`flexmine.assembly.classes.group` returns them.
    """
    document = case.document
    class_of = {c.name: name for name, members in groups.items() for c in members}
    found: list[Cause] = []
    for name, mask in held.windows.items():
        found += [Cause("window", name, None, *run) for run in runs_of(mask)]
    for order in document.orders:
        text = f"{order.name} caps the site at {order.cap_mw:g} MW"
        found += [Cause("order", text, None, *run) for run in runs_of(held.orders[order.name])]
    for outage in document.outages:
        mask = clock.in_span(outage.begin, outage.end)
        found += [Cause("outage", outage.reason, class_of[outage.container], *run) for run in runs_of(mask)]
    for entry in document.available:
        text = f"at most {entry.count} of {entry.model} may run" + (f" ({entry.reason})" if entry.reason else "")
        of_model = [name for name, members in groups.items() if members[0].model == entry.model]
        runs = list(runs_of(clock.in_span(entry.begin, entry.end)))
        found += [Cause("outage", text, name, *run) for name in of_model for run in runs]
    for duty in document.must_run:
        runs = list(runs_of(clock.in_span(duty.begin, duty.end)))
        of_duty = dict.fromkeys(class_of[name] for name in duty.containers)
        found += [Cause("must_run", duty.reason, name, *run) for name in of_duty for run in runs]
    return (*found, *_of_pins(case, clock, class_of))


def _of_pins(case: Case, clock: Clock, class_of: dict[str, str]) -> Iterator[Cause]:
    for pin, mask in pins_by_step(case, clock):
        code = "order" if pin.at_most_mw is not None else "must_run" if pin.set == "on" else "outage"
        of_class = None if pin.container is None else class_of[pin.container]
        for run in runs_of(mask):
            yield Cause(code, pin.words, of_class, *run)
            if pin.container is not None and pin.at_most_mw is not None:
                # Below its lowest power it does not run at all.
                yield Cause("outage", pin.words, of_class, *run)

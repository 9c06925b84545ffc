"""A case with everything it refers to, read, validated and on one time axis."""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from flexmine.errors import BadInput, printable
from flexmine.inputs.case_series import frozen, read_all_series, stated_numbers
from flexmine.inputs.changes import Change, Changing, requested
from flexmine.inputs.cross_checks import cross_checks
from flexmine.inputs.effect import Resolved, without_effect
from flexmine.inputs.equipment import ContainerDocument, PlantDocument
from flexmine.inputs.filling import Filled
from flexmine.inputs.fixed import FixedDict
from flexmine.inputs.partial_validation import parts_of
from flexmine.inputs.pins import Pin
from flexmine.inputs.plausibility import unusual
from flexmine.inputs.reading import Access
from flexmine.inputs.references import Reader
from flexmine.inputs.schema import CaseDocument, State, case_problems
from flexmine.inputs.series import Feed
from flexmine.inputs.suspicious import suspicious
from flexmine.inputs.yaml_loader import Draft, loaded
from flexmine.problem import Floats, TimeAxis
from flexmine.resources import PREFIX, shipped_names, shipped_path, shipped_reference, short


@dataclass(frozen=True)
class Origin:
    """Where a case was read from, so that it can be read again.

    Attributes
    ----------
    path : Path
        The file, absolute.
    allow_outside : tuple of Path
        Folders that it may read from beside its own, absolute.
    as_of : datetime or None
        In place of the case's own `as_of`.
    span : tuple of date, or None
        First and last local day, in place of `start` and `horizon_h`; of the last one and `horizon_h` after it.
    """

    path: Path
    allow_outside: tuple[Path, ...]
    as_of: datetime | None
    span: tuple[date, date] | None = None


@dataclass(frozen=True)
class Case:
    """What a person wrote, checked and resolved; no physics yet.

    Its parts were read and checked together, so that none of them can be exchanged alone: :meth:`with_changes` gives
    another case.

    Attributes
    ----------
    name, title : str
        As in the file, on one line.
    notes : tuple of str
        What the file says about its data, shown with every plan.
    document : CaseDocument
        The case file, validated: a field for each key.
    plant : PlantDocument
        The plant file, validated.
    time : TimeAxis
        The steps of the horizon.
    container_models : dict
        By the text that the plant's groups use as `model`.
    publish_steps : int
        Number of steps from the first on that are the plan; the rest is look-ahead.
    series : dict of ndarray, shape (T,)
        Every number or series of the case, in the unit of its key, by its dotted key:
        ``temperature_c``, ``ghi_w_m2`` (where given),
        ``sources.NAME.available_mw``, ``sources.NAME.price_usd_per_mwh``,
        ``sources.NAME.network_tariff_usd_per_mwh``, ``sources.NAME.carbon_g_per_kwh`` and
        ``sources.NAME.headroom_mw`` (where given),
        ``hash_value.btc_price_usd``, ``hash_value.difficulty``, ``hash_value.fees_btc_per_block``, ``minimum_mw``
        (where given).
    inputs : dict of str
        SHA-256 of every file read, by a portable name: relative to the case's folder, or ``shipped:NAME``.
    feeds : tuple of Feed
        Of every series: which file and column, how it became steps, which issue was used.
    filled : tuple of Filled
        Steps that a named policy has filled in.
    quantiles : dict of dict of ndarray, shape (T,)
        By dotted key and name (``p10``), of the series whose feed has columns of quantiles.
    changes : tuple of Change
        What differs from the files, in the order in which it was changed.
    origin : Origin or None
        None where it was not read from files.
    together : mapping or None
        Parts that belong together, to refuse an exchange of one of them; not for use outside.
    """

    name: str
    title: str
    notes: tuple[str, ...]
    document: CaseDocument
    plant: PlantDocument
    container_models: dict[str, ContainerDocument]
    time: TimeAxis
    publish_steps: int
    series: dict[str, Floats]
    inputs: dict[str, str]
    feeds: tuple[Feed, ...] = ()
    filled: tuple[Filled, ...] = ()
    quantiles: dict[str, dict[str, Floats]] = field(default_factory=dict)
    changes: tuple[Change, ...] = ()
    origin: Origin | None = None
    together: Mapping[str, object] | None = field(default=None, repr=False, compare=False)

    def __repr__(self) -> str:
        """Return one line; the series of a case would fill screens."""
        changed = f", changed: {'; '.join(map(str, self.changes))}" if self.changes else ""
        return f"<Case {self.name}: {len(self.series)} series, {len(self.inputs)} files{changed}>"

    def __post_init__(self) -> None:
        for name, part in (self.together or {}).items():
            if getattr(self, name) is not part:
                raise TypeError(
                    f"{name} of a case cannot be exchanged: series, checks and hashes of the files would stay those of "
                    'the old one; use case.with_changes({"dotted.key": value}), which reads and checks anew'
                )

    def with_changes(self, changes: Mapping[str, Any]) -> Case:
        """Return the case with other values, read, checked and resolved again.

        Parameters
        ----------
        changes : mapping
            From dotted keys of the case, or ``plant.`` and a key of its plant, to values.  Entries of lists go by
            their `name` (``sources.grid.price_usd_per_mwh``), without one by their index.  A value is what the file
            could hold there.  A number or a series can also be changed by a text: ``"+20 %"`` and ``"x1.2"`` multiply
            (a negative price becomes more negative), ``"+3"`` adds in the unit of the key; of a series each value,
            after it is converted.

        Returns
        -------
        Case
            Its `changes` are those of this case and the new ones, in order; its hashes are those of the files.

        Raises
        ------
        BadInput
            Where a key does not exist, a value is not allowed, the changed case contradicts itself, something else
            makes a change ineffective, or a file has changed since it was read.

        Examples
        --------
        >>> import flexmine
        >>> case = flexmine.load_case("bratsk-shaped")
        >>> dear = case.with_changes({"sources.grid.price_usd_per_mwh": "+20 %", "plant.cap_mw": 8})
        >>> [str(change) for change in dear.changes]
        ['sources.grid.price_usd_per_mwh: +20 %', 'plant.cap_mw: 10.0 -> 8']
        """
        new = requested(changes)
        if self.origin is None:
            raise BadInput("this case was not read from a file, so that it cannot be read with changes")
        return _resolved(self.origin, str(self.origin.path), (*self.changes, *new), self.inputs)

    def with_pins(self, pins: Sequence[Pin]) -> Case:
        """Return the same case with other pins, to see what they cost; nothing else in a case depends on them."""
        return _together(replace(self, document=self.document.model_copy(update={"pins": tuple(pins)}), together=None))

    def window(self, first: int, steps: int, state: State, series: Mapping[str, Floats] | None = None) -> Case:
        """Return the case of some of its steps, as one that begins there; what depends on the calendar follows.

        Parameters
        ----------
        first, steps : int
            The window, all of it published.
        state : State
            Of the plant just before step `first`.
        series : mapping of ndarray, shape (steps,), optional
            What takes the place of a series within the window, by its dotted key: a forecast, say.
        """
        part, begin = slice(first, first + steps), self.time.begin(first)
        terms = self.document.hash_value
        if terms.block_height is not None:
            # The height is that of the case's own start; ten minutes a block are the chain's aim.
            blocks = round((begin - self.document.start) / timedelta(minutes=10))
            terms = terms.model_copy(update={"block_height": terms.block_height + blocks})
        return _together(
            replace(
                self,
                document=self.document.model_copy(update={"state": state, "hash_value": terms}),
                time=replace(self.time, start=_with_fixed_offset(begin), steps=steps),
                publish_steps=steps,
                series=FixedDict({key: values[part] for key, values in self.series.items()} | dict(series or {})),
                quantiles=FixedDict(),
                together=None,
            )
        )


def load_case(
    path_or_name: str | Path, allow_outside: Sequence[str | Path] = (), as_of: datetime | None = None
) -> Case:
    """Read a case with its plant, container models and series.

    Parameters
    ----------
    path_or_name : str or Path
        A file; or, where there is no such file, the name of a shipped case such as ``bratsk-day`` (or
        ``shipped:cases/bratsk-day``).
    allow_outside : sequence of str or Path
        Folders from which the case may read, besides its own.
    as_of : datetime, optional
        Aware; in place of the case's own `as_of`: forecasts issued later are not used.

    Raises
    ------
    BadInput
        All that is wrong in all files, one message each, with file, line and column.
    """
    path = _case_file(path_or_name)
    folders = tuple(Path(os.path.abspath(folder)) for folder in allow_outside)  # noqa: PTH100 - links stay links
    return _resolved(Origin(Path(os.path.abspath(path)), folders, as_of), str(path), (), {})  # noqa: PTH100


def load_span(path_or_name: str | Path, first: date, last: date, allow_outside: Sequence[str | Path] = ()) -> Case:
    """Read a case whose series reach over many days, in place of its own `start` and `horizon_h`.

    Parameters
    ----------
    path_or_name : str or Path
        As in :func:`load_case`.
    first, last : date
        Local days of the site, both included.  The steps go on for the horizon of the case after the last day, so that
        a plan of that day can look as far ahead as any.
    allow_outside : sequence of str or Path
        As in :func:`load_case`.

    Returns
    -------
    Case
        Its `publish_steps` end with the last day.

    Raises
    ------
    BadInput
        As by :func:`load_case`; a series that ends before the last day does is named.
    """
    path = _case_file(path_or_name)
    folders = tuple(Path(os.path.abspath(folder)) for folder in allow_outside)  # noqa: PTH100 - links stay links
    origin = Origin(Path(os.path.abspath(path)), folders, None, (first, last))  # noqa: PTH100
    return _resolved(origin, str(path), (), {})


def _resolved(origin: Origin, shown: str, changes: Sequence[Change], expected: Mapping[str, str]) -> Case:
    """Return the case of a file with changes.

    `shown` is how messages name the file, `expected` the SHA-256 that each file still has to have, by its name.
    """
    changing = Changing(list(changes))
    try:
        return _together(_read(origin, shown, changing, expected))
    except BadInput as error:
        raise BadInput(changing.naming_the_change(error.messages)) from error


def _together(case: Case) -> Case:
    """Return a case whose parts cannot be exchanged one by one any more."""
    parts = {f.name: getattr(case, f.name) for f in fields(case) if f.name != "together"}
    return replace(case, together=parts)


def _read(origin: Origin, shown: str, changing: Changing, expected: Mapping[str, str]) -> Case:
    path, as_of = origin.path, origin.as_of
    reader = Reader(Access(path.parent, origin.allow_outside), expected)
    label = shipped_reference(path) or path.name
    try:
        case = reader.draft(path, CaseDocument, label, changing.into_case)
    except BadInput as error:
        raise BadInput([f"{shown}: {message}" for message in error.messages]) from error
    if case.data is None:
        raise BadInput(reader.wrong)
    document = parts_of(case.data, CaseDocument)
    plant = reader.referred(case, ("plant",), case.data.get("plant"), PlantDocument, changing.into_plant)
    reader.wrong += changing.wrong
    models = {} if plant is None else reader.models(plant)
    more = [] if case.document else [case.at(keys, message) for keys, message in case_problems(document)]
    if plant is not None and plant.document is not None:
        more += cross_checks(case, document, plant.document, models)
    reader.wrong += [message for message in more if message not in reader.wrong]
    axis = _time_axis(document, plant, origin.span)
    read = {} if axis is None else read_all_series(case, document, axis, as_of or document.as_of, reader)
    series = {} if axis is None else stated_numbers(document, axis) | {key: frozen(r.values) for key, r in read.items()}
    notes: list[str] = []
    if plant is not None and plant.document is not None:
        suspicions = () if axis is None else suspicious(document, axis, read)
        refused, notes = unusual(case, document, plant, models, series, suspicions=suspicions)
        reader.wrong += refused
    if reader.wrong:
        raise BadInput(reader.wrong)
    assert axis is not None and plant is not None
    issues = any(r.feed.issue for r in read.values())
    resolved = Resolved(document, loaded(plant).document, models, series, issues=issues, as_of_given=as_of is not None)
    idle = without_effect(changing.changes, resolved)
    if idle:
        raise BadInput(idle)
    return Case(
        name=document.name,
        title=document.title,
        notes=(*document.notes, *notes, *(f"{r.feed.series}: {r.feed.note}" for r in read.values() if r.feed.note)),
        document=document,
        plant=resolved.plant,
        container_models=FixedDict(models),
        time=axis,
        publish_steps=document.publish_steps if origin.span is None else axis.steps - document.steps,
        series=FixedDict(series),
        inputs=FixedDict(sorted(reader.inputs.items())),
        feeds=tuple(r.feed for r in read.values()),
        filled=tuple(f for r in read.values() for f in r.filled),
        quantiles=FixedDict(
            (key, FixedDict((name, frozen(q)) for name, q in r.quantiles.items()))
            for key, r in read.items()
            if r.quantiles
        ),
        changes=changing.made,
        origin=origin,
    )


def _case_file(path_or_name: str | Path) -> Path:
    path = Path(path_or_name)
    if os.path.isfile(path):  # noqa: PTH113 - unlike Path.is_file it is False, not an error, for an impossible name
        return path
    known = shipped_names("cases")
    name = str(path_or_name).removeprefix(f"{PREFIX}cases/")
    if name in known:
        return shipped_path(f"cases/{name}")
    if os.path.isdir(path):  # noqa: PTH112
        raise BadInput(f"{path} is a folder; name the case file in it, such as {path / 'case.yaml'}")
    if os.path.exists(path):  # noqa: PTH110
        return path  # a pipe or a device: reading says so
    near = difflib.get_close_matches(short(name), known, n=1)
    hint = f"; did you mean {near[0]}?" if near else "."
    raise BadInput(
        printable(
            f"there is no case file {short(path_or_name)} and no shipped case of that name{hint} "
            f"Shipped cases: {', '.join(known)}"
        )
    )


def _time_axis(document: Any, plant: Draft[PlantDocument] | None, span: tuple[date, date] | None) -> TimeAxis | None:
    """Return the steps of the case; None where the case does not state its time."""
    if document.start is None or document.step_minutes is None or document.horizon_h is None:
        return None
    step_h = document.step_minutes / 60.0
    steps = round(document.horizon_h / step_h)
    if steps < 1:
        return None
    zone = plant.document.zone if plant is not None and plant.document is not None else "UTC"
    start = document.start.astimezone(ZoneInfo(zone))
    if span is not None:
        begin, end = (_midnight(day, zone) for day in (span[0], span[1] + timedelta(days=1)))
        steps += round((end - begin) / timedelta(hours=step_h))
        start = begin.astimezone(ZoneInfo(zone))
    return TimeAxis(_with_fixed_offset(start), step_h, steps, zone)


def _midnight(day: date, zone: str) -> datetime:
    """Return the beginning of a local day; in UTC, so that differences count elapsed time."""
    return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).astimezone(UTC)


def _with_fixed_offset(local: datetime) -> datetime:
    """Return the same moment with a fixed offset: adding hours then counts elapsed time on days of 23 hours, too."""
    offset = local.utcoffset()
    assert offset is not None
    return local.replace(tzinfo=timezone(offset))

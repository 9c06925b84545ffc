import numpy as np
import pytest

from flexmine.assembly import assemble
from flexmine.problem import History
from flexmine.problem.reading import problem_from_document, problem_to_document

OUTAGE = {"from": "2024-09-10T02:00:00+08:00", "to": "2024-09-10T04:30:00+08:00", "reason": "fan"}


def _classes(case):
    return {k.name: k for k in assemble(case).problem.classes}


def test_identical_containers_stay_together(make_case):
    """Six containers without data of their own are one class named by the model.

    *Proves:* counts, not containers. *Sensitivity:* any split would show as a second class.
    """
    (k,) = assemble(make_case()).problem.classes
    assert (k.name, k.count, k.containers) == ("s19pro", 6, ("C01", "C02", "C03", "C04", "C05", "C06"))
    assert k.available.tolist() == [6] * 12
    assert k.history == (History(count=6, on=False, steps=10, warm_until_step=-1),)


def test_only_the_few_that_need_it_are_split_off(make_case):
    """C02 and C05 are out in the same hours, C03 in others: three classes; feeders list the classes that they bear.

    *Proves:* equal outages stay together; a step that overlaps a part is out. *Sensitivity:* rounding 04:30 down
    would leave step 4 free.
    """
    outages = [{**OUTAGE, "container": c} for c in ("C05", "C02")]
    outages.append({**OUTAGE, "container": "C03", "to": "2024-09-10T03:00:00+08:00"})
    classes = _classes(make_case({"outages": outages}))
    assert {name: k.containers for name, k in classes.items()} == {
        "s19pro": ("C01", "C04", "C06"),
        "s19pro/C02": ("C02", "C05"),
        "s19pro/C03": ("C03",),
    }
    assert classes["s19pro/C02"].available.tolist() == [2, 2, 0, 0, 0] + [2] * 7
    assert classes["s19pro/C03"].available.tolist() == [1, 1, 0] + [1] * 9
    assert classes["s19pro"].available.tolist() == [3] * 12


def test_clients_and_feeders_split(make_case):
    """*Proves:* client and feeder separate classes. *Sensitivity:* without both keys there would be one class."""
    plant = {
        "containers": [
            {"model": "s19pro.yaml", "client": "alpha", "names": ["A1", "A2"]},
            {"model": "s19pro.yaml", "client": "beta", "names": ["B1", "B2"]},
        ],
        "feeders": [{"name": "f1", "cap_mw": 2.0, "containers": ["A1", "B1", "B2"]}],
    }
    problem = assemble(make_case(plant=plant)).problem
    assert {k.name: k.containers for k in problem.classes} == {
        "s19pro": ("A1",),
        "s19pro/A2": ("A2",),
        "s19pro/B1": ("B1", "B2"),
    }
    assert [(f.name, f.cap_mw, f.classes) for f in problem.site.groups] == [("f1", 2.0, ("s19pro", "s19pro/B1"))]


def test_must_run(make_case):
    """*Proves:* named containers run in their hours. *Sensitivity:* without the entry must_run is 0 throughout."""
    entry = {
        "containers": ["C01", "C04"],
        "from": "2024-09-10T05:00:00+08:00",
        "to": "2024-09-10T07:00:00+08:00",
        "reason": "client",
    }
    classes = _classes(make_case({"must_run": [entry]}))
    assert classes["s19pro/C01"].must_run.tolist() == [0] * 5 + [2, 2] + [0] * 5
    assert not classes["s19pro"].must_run.any()


def test_history_by_run_length_in_listed_order(make_case):
    """*Proves:* ages keep the order of the containers. *Sensitivity:* sorting by age would join C02 and C05."""
    aged = {"on": True, "hours": 5.5, "it_power_mw": 0.8}
    default = {"on": False, "hours": 3.0}
    state = {"initial_mw": 1.6, "default": default, "containers": {"C02": aged, "C05": aged}}
    (k,) = assemble(make_case({"state": state})).problem.classes
    off = {"on": False, "steps": 3, "warm_until_step": 3}
    on = History(count=1, on=True, steps=5, it_power_mw=0.8)
    assert k.history == (History(count=1, **off), on, History(count=2, **off), on, History(count=1, **off))


def test_window_stops_all(make_case):
    """*Proves:* a legal window makes no container available. *Sensitivity:* half a day later all are."""
    window = {"name": "ban", "source": "decree", "from_date": "2024-09-10", "to_date": "2024-09-10", "hours": [3, 4]}
    (k,) = assemble(make_case({"windows": [window]})).problem.classes
    assert np.flatnonzero(k.available == 0).tolist() == [3, 4]


def test_count_limit(make_case):
    """At most two, whichever: one class keeps it as it is; where C01 must run, it has the first share.

    *Proves:* the sum over classes never exceeds the limit. *Sensitivity:* the limit on each class apart allows 3.
    """
    span = {"from": "2024-09-10T00:00:00+08:00", "to": "2024-09-10T03:00:00+08:00"}
    limit = [{"model": "s19pro.yaml", "count": 2, **span}]
    (k,) = assemble(make_case({"available": limit})).problem.classes
    assert k.available.tolist() == [2, 2, 2] + [6] * 9
    must = [{"containers": ["C01"], "reason": "client", **span}]
    result = assemble(make_case({"available": limit, "must_run": must}))
    classes = {k.name: k.available.tolist() for k in result.problem.classes}
    assert classes == {"s19pro/C01": [1] * 12, "s19pro": [1, 1, 1] + [5] * 9}
    assert any("shared out in advance" in note for note in result.notes)


def test_two_models_of_one_name_are_refused(make_case):
    """*Proves:* class names stay unique. *Sensitivity:* with another name both are accepted."""
    from flexmine.errors import BadInput

    case = make_case(plant={"containers": [{"model": m, "names": [c]} for m, c in (("a", "A"), ("b", "B"))]})
    document = next(iter(case.container_models.values()))
    twice = type(case)(**{**case.__dict__, "container_models": {"a": document, "b": document}})
    with pytest.raises(BadInput, match="a and b are both named s19pro"):
        assemble(twice)
    other = document.model_copy(update={"name": "s21"})
    renamed = type(case)(**{**case.__dict__, "container_models": {"a": document, "b": other}})
    assert [k.name for k in assemble(renamed).problem.classes] == ["s19pro", "s21"]


def test_the_problem_passes_its_own_reader(make_case):
    """A case with splits, an order and feeders, written as problem.json and read again, is the same and in order.

    *Proves:* what assembly makes is a valid problem. *Sensitivity:* the reader refuses wrong lengths and sums.
    """
    case = make_case({"outages": [{**OUTAGE, "container": "C05"}]}, container={"min_up_h": 2.0})
    problem = assemble(case).problem
    again = problem_from_document(problem_to_document(problem))
    assert problem_to_document(again) == problem_to_document(problem)
    assert again.warnings == ()

import pytest

from publishing import written


@pytest.fixture
def plan(tmp_path):
    """A plan of four published hours from 2024-09-10 00:00 on."""
    return written(tmp_path / "plan")


@pytest.fixture(scope="session")
def shipped_plan(tmp_path_factory):
    """The plan of bratsk-day-measured in a directory."""
    from flexmine.inputs.case import load_case
    from flexmine.output import write_plan
    from flexmine.solving.phases import Phases
    from flexmine.workflow.plan_case import plan_case

    folder = tmp_path_factory.mktemp("published") / "plan"
    write_plan(plan_case(load_case("bratsk-day-measured")), folder, Phases(), report=False)
    return folder

"""A copy for each test of the nights that its module has planned once, and plans that are the same made once."""

import shutil

import pytest

from flexmine.jobs import plan_and_store, planning
from flexmine.jobs.job import read_job
from flexmine.store.sealed import digest_of

PLANS = {}
"""By the digest of the inputs, and what planned them."""


@pytest.fixture(autouse=True, scope="session")
def same_inputs_same_plan():
    """Plan the same inputs once.  That they give the same plan, byte for byte, is shown where nothing is kept:
    `tests/cases`, and `reproduce`, which plans by itself here too.
    """
    real = plan_and_store.plan_inputs

    def plan_inputs(folder, phases):
        key = digest_of(folder), planning.plan_case
        if key not in PLANS:
            PLANS[key] = real(folder, phases)
        return PLANS[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plan_and_store, "plan_inputs", plan_inputs)
        yield


@pytest.fixture
def here(tmp_path, once):
    """The folder of a job, a copy of the module's own `once`."""
    return shutil.copytree(once, tmp_path / "here", symlinks=True)


@pytest.fixture
def job(here):
    return read_job(here / "job.yaml")

"""A copy for each test of the nights that its module has planned once."""

import shutil

import pytest

from flexmine.jobs.job import read_job


@pytest.fixture
def here(tmp_path, once):
    """The folder of a job, a copy of the module's own `once`."""
    return shutil.copytree(once, tmp_path / "here", symlinks=True)


@pytest.fixture
def job(here):
    return read_job(here / "job.yaml")

"""What a job file may say, and how a wrong one is refused."""

import pytest

from flexmine.errors import BadInput
from flexmine.inputs.yaml_loader import read_yaml
from flexmine.jobs.job import read_job
from flexmine.jobs.schema import JobDocument
from flexmine.resources import shipped_path

JOB = """\
schema: flexmine-job/1
name: bratsk
case: shipped:cases/bratsk-day
first_day: 2024-09-10
initial_state: {initial_mw: 7.43, default: {on: true, hours: 10, it_power_mw: 0.52}}
feeds:
  - {series: [sources.surplus.available_mw], files: "feeds/surplus_*.csv", max_age_h: 30, older_max_age_h: 54}
ladder:
  - {step: older_issue}
  - {step: persistence, surplus_quantile: 0.2}
  - {step: hold}
"""


def _read(folder, text):
    file = folder / "job.yaml"
    file.write_text(text, encoding="utf-8")
    return read_yaml(file, JobDocument, "job.yaml").document


def test_a_job_is_read(tmp_path):
    job = _read(tmp_path, JOB)
    assert [step.step for step in job.ladder] == ["older_issue", "persistence", "hold"]
    assert job.feeds[0].series == ("sources.surplus.available_mw",)
    assert job.look_ahead_h == 24.0


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("first_day: 2024-09-10\n", "", "first_day and initial_state belong together"),
        ("step: hold", "step: older_issue", "job.yaml:11:12 ladder[2].step: older_issue stands in the ladder already"),
        ("older_max_age_h: 54", "older_max_age_h: 20", "is not above max_age_h, 30 h"),
        ("step: hold", "step: wish", "ladder[2]"),
        ("surplus_quantile: 0.2", "surplus_quantile: 20", "surplus_quantile"),
        ("name: bratsk", "nme: bratsk", "name"),
    ],
)
def test_a_wrong_job_is_refused_with_its_place(tmp_path, old, new, message):
    """*Proves:* file, line, column and key.  *Sensitivity:* a ladder taken half would be a surprise at night."""
    with pytest.raises(BadInput) as error:
        _read(tmp_path, JOB.replace(old, new))
    assert message in str(error.value)


def test_a_template_that_is_missing_is_refused_with_its_place(tmp_path):
    """*Proves:* the line of the job that names a case which is not there.

    *Sensitivity:* "the file that names it" alone leaves open which of five files that is.
    """
    file = tmp_path / "job.yaml"
    file.write_text(JOB.replace("shipped:cases/bratsk-day", "cas.yaml"), encoding="utf-8")
    with pytest.raises(BadInput, match=r"^job\.yaml:3:7 case: there is no file cas\.yaml; a path is relative"):
        read_job(file)


def test_factors_of_a_shipped_case_are_not_applied_to_a_feed(tmp_path):
    """The shipped case multiplies a flow by 0.91 and by 0.06, which turns its stand-in into the surplus of a plant.

    *Proves:* such a case with a feed for that series is refused with place, case, series and factors; a feed for a
    series without factors is not.  *Sensitivity:* a surplus of 8 MW would be planned as 0.44 MW, with exit code 0.
    """
    file = tmp_path / "job.yaml"
    file.write_text(JOB, encoding="utf-8")
    with pytest.raises(BadInput) as error:
        read_job(file)
    (message,) = error.value.messages
    assert message.startswith("job.yaml:7:14 feeds[0].series: shipped:cases/bratsk-day multiplies")
    assert "mw_per_m3_s 0.91, share_of_flow 0.06" in message
    for case in (shipped_path("shipped:cases/bratsk-day"), tmp_path / "link.yaml"):
        if not case.exists():
            case.symlink_to(shipped_path("shipped:cases/bratsk-day"))
        file.write_text(JOB.replace("shipped:cases/bratsk-day", str(case)), encoding="utf-8")
        with pytest.raises(BadInput, match="multiplies sources"):
            read_job(file)
    file.write_text(JOB.replace("sources.surplus.available_mw", "temperature_c"), encoding="utf-8")
    assert read_job(file).plant == "bratsk-10"

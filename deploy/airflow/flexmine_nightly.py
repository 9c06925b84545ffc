"""Airflow 3: every day and every hour one plant is planned, stored and published.  Copy it into the folder of DAGs.

flexmine is a command of its own environment here, so that its packages and Airflow's do not have to agree.
"""

from __future__ import annotations

import datetime

import pendulum
from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG

FLEXMINE = "/opt/flexmine/bin/flexmine"
JOB = "/etc/flexmine/bratsk-10/job.yaml"
ZONE = "Asia/Irkutsk"
# 4 and 5 are plans (the gap was not closed in time, or a named fallback), which Airflow would take for failures.
PLANNED = "code=$?; case $code in 4|5) exit 0 ;; esac; exit $code"
NIGHTLY = f"{FLEXMINE} nightly {JOB} --log-format json; {PLANNED}"
REPLAN = f"{FLEXMINE} replan {JOB} --log-format json; {PLANNED}"
# 1 is a warning; only what is critical fails the task.
HEALTH = f"{FLEXMINE} health {JOB}; test $? -le 1"

with DAG(
    dag_id="flexmine_nightly_bratsk_10",
    # Once the last feed of the day has come: a day-ahead price of tomorrow comes around noon or later.
    schedule="0 14 * * *",
    start_date=pendulum.datetime(2026, 1, 1, tz=ZONE),
    # flexmine itself catches up missed nights, in order and from the state of the night before.
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=datetime.timedelta(hours=3),
    default_args={"retries": 3, "retry_delay": datetime.timedelta(minutes=15)},
    tags=["flexmine"],
):
    plan = BashOperator(task_id="plan", bash_command=NIGHTLY, execution_timeout=datetime.timedelta(minutes=30))
    look = BashOperator(task_id="health", bash_command=HEALTH, trigger_rule="all_done")
    plan >> look

with DAG(
    dag_id="flexmine_replan_bratsk_10",
    # Ten minutes before the hour, so that the new power is published when it begins.
    schedule="50 * * * *",
    start_date=pendulum.datetime(2026, 1, 1, tz=ZONE),
    catchup=False,
    max_active_runs=1,
    tags=["flexmine"],
):
    # The next hour comes sooner than a retry would help.
    BashOperator(task_id="replan", bash_command=REPLAN, execution_timeout=datetime.timedelta(minutes=30))

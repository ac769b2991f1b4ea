"""What goes by the clock: the sweep once a night, whatever the clocks do, the dead-man check, and what is dropped."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
import yaml
from prefect.server.schemas.schedules import CronSchedule
from prefect.settings import Settings

from infra.alarms import alarms

ROOT = Path(__file__).parent.parent.parent
DAYS = 6


def sweep_schedule() -> dict[str, str]:
    declared = yaml.safe_load((ROOT / "prefect.yaml").read_text())
    (sweep,) = [one for one in declared["deployments"] if one["name"] == "nightly"]
    (schedule,) = sweep["schedules"]
    return {"cron": schedule["cron"], "timezone": schedule["timezone"]}


@pytest.mark.parametrize("first", [date(2026, 10, 22), date(2027, 3, 25)], ids=["clocks back", "clocks forward"])
def test_the_sweep_runs_once_every_night_when_the_clocks_change(first: date) -> None:
    start = datetime(first.year, first.month, first.day, tzinfo=UTC)
    found = asyncio.run(CronSchedule(**sweep_schedule()).get_dates(DAYS, start, start + timedelta(days=DAYS)))
    assert [moment.date() for moment in found] == [first + timedelta(days=n) for n in range(DAYS)]
    assert {(moment.hour, moment.minute) for moment in found} == {(2, 30)}
    assert len({moment.utcoffset() for moment in found}) == 2


def test_a_sweep_is_missed_after_26_hours() -> None:
    (trigger,) = [alarm.trigger for alarm in alarms() if alarm.name == "foi-sweep-missing"]
    assert (trigger["posture"], trigger["expect"]) == ("Proactive", ["foi.sweep.finished"])
    assert timedelta(seconds=trigger["within"]) == timedelta(hours=26)


def test_prefect_knows_the_setting_by_which_old_runs_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED", "events,flow_runs")
    vacuum = Settings().server.services.db_vacuum
    assert vacuum.enabled == {"events", "flow_runs"}
    assert vacuum.retention_period == timedelta(days=90)

"""What a call took is known, though the kernel forgets it with the namespace."""

from __future__ import annotations

from tasks.apart import Apart


def test_the_processor_time_of_calls_is_counted_by_job() -> None:
    with Apart(1, jobs="tests.apart.busy") as apart:
        assert apart.cpu_s().get("spin", 0.0) == 0.0
        apart.call("spin", b"0.4")
        once = apart.cpu_s()["spin"]
        apart.call("spin", b"0.4")
        assert 0.35 < once < 2.0
        assert apart.cpu_s()["spin"] > once + 0.35


def test_what_one_child_had_to_load_the_next_ones_find_loaded() -> None:
    with Apart(1, jobs="tests.apart.busy") as apart:
        assert [apart.call(job)[0] for job in ("plain", "needing", "needing", "plain")] == [
            b"",
            b"here",
            b"before",
            b"",
        ]

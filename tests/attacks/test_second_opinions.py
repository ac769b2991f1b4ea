"""What checkers that we did not write say of the demo's outputs: they agree with the gate.

x-ray and unmasker live in an environment of their own (`infra/opinions.txt`), the others are Debian packages.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tasks.model import RedactionPlan
from tests.attacks import faults
from tests.demo_records import TITLE, demo_records
from tests.pdf_ua import BEYOND_A_SCAN, complaints
from tests.redaction.drawn import draw_page, record_of

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

OPINIONS = Path(sys.prefix) / "opinions/bin"
BY_DESIGN = {"invisible-text", "undisclosed-metadata"}
"""What unmasker says of every searchable scan, and of a title that no page shows."""


@dataclass(frozen=True)
class Published:
    path: Path
    plan: RedactionPlan


def run(*command: str | Path, accept: Sequence[int] = (0,)) -> str:
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode in accept, (Path(command[0]).name, done.returncode, done.stderr[-500:])
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> list[Published]:
    """Every record of the demo, as a file."""
    folder = tmp_path_factory.mktemp("demo")
    made = [Published(folder / f"{n:03}.pdf", record.plan) for n, record in enumerate(demo_records(), 1)]
    for file, record in zip(made, demo_records(), strict=True):
        file.path.write_bytes(record.pdf)
    return made


def squeezed(text: str) -> str:
    return re.sub(r"[\W_]+", "", text).casefold()


def assert_silent(text: str, plan: RedactionPlan) -> None:
    """No withheld value of some length stands in a text, blanks and signs aside."""
    heard = squeezed(text)
    values = [squeezed(value) for value in plan.withheld]
    assert not [value for value in values if len(value) >= 8 and value in heard]


def test_qpdf_finds_nothing_to_mend(published: list[Published]) -> None:
    for record in published:
        assert "No syntax or stream encoding errors found" in run("qpdf", "--check", record.path)


def test_pdftotext_and_mutool_hear_no_withheld_value(published: list[Published]) -> None:
    for record in published:
        text = run("pdftotext", "-layout", record.path, "-")
        assert "[withheld: " in text or not record.plan.marks
        assert_silent(text, record.plan)
        assert_silent(run("mutool", "draw", "-q", "-F", "text", record.path), record.plan)
        assert_silent(run("strings", "-n", "6", record.path), record.plan)


def test_mutool_knows_one_image_a_page_and_one_font(published: list[Published]) -> None:
    for record in published:
        said = run("mutool", "info", record.path)
        assert re.search(r"Images \((\d+)\)", said)[1] == str(record.plan.pages)  # type: ignore[index]
        assert len(set(re.findall(r"\((\d+) 0 R\)\s*$", said.split("Fonts")[1].split("Images")[0], re.M))) <= 1
        assert "error" not in said.lower()


def test_pdfimages_takes_out_painted_pixels(published: list[Published], tmp_path: Path) -> None:
    for record in published:
        stem = tmp_path / record.path.stem
        run("pdfimages", "-png", record.path, stem)
        pages = sorted(tmp_path.glob(f"{stem.name}-*.png"))
        assert len(pages) == record.plan.pages
        for mark in record.plan.marks:
            pixels = np.asarray(Image.open(pages[mark.page]).convert("L"))
            for r in mark.regions:
                rim = pixels[r.y0 : r.y1, r.x0 : r.x1][2:-2, 2:-2]
                assert float((rim < 64).mean()) > 0.6, mark.number


def test_x_ray_finds_no_bad_redaction(published: list[Published]) -> None:
    for record in published:
        assert run(OPINIONS / "xray", record.path).strip() == "{}"


def unmasked(path: Path) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads(run(OPINIONS / "unmasker", "--json", path, accept=(0, 1)))["findings"]
    return found


def test_unmasker_finds_the_text_layer_and_the_title_alone(published: list[Published]) -> None:
    for record in published:
        findings = unmasked(record.path)
        assert {finding["detector"] for finding in findings} <= BY_DESIGN
        assert {f["machine_reads"] for f in findings if f["detector"] == "undisclosed-metadata"} <= {TITLE}
        assert_silent(" ".join(str(finding["machine_reads"]) for finding in findings), record.plan)


def test_three_checkers_of_pdf_ua_find_nothing(published: list[Published]) -> None:
    for path, rules in complaints([record.path for record in published]).items():
        assert rules <= BEYOND_A_SCAN, Path(path).stem


def test_pdfinfo_hears_every_notice_and_no_withheld_value(published: list[Published]) -> None:
    for record in published:
        heard = run("pdfinfo", "-struct-text", record.path)
        assert heard.count("[withheld: ") == len(record.plan.marks)
        assert_silent(heard, record.plan)


# ------------------------------------------------------------------------------------------------ they can tell


def test_x_ray_finds_live_text_under_a_box(tmp_path: Path) -> None:
    """Its silence means something: of a fault that it knows it speaks."""
    drawn = record_of(draw_page())
    x, y = faults.place_of(drawn)
    boxed = faults.on_content(lambda content: content + f"\n0 g {x - 4} {y - 4} 120 16 re f".encode())
    path = tmp_path / "live.pdf"
    path.write_bytes(boxed(faults.with_live_text(drawn.apply(), drawn)))
    assert "ring me" in run(OPINIONS / "xray", path)


def test_unmasker_finds_an_attachment(tmp_path: Path) -> None:
    """It passed over white text, live text under an image, an orphan and an earlier revision of ours; this it finds."""
    path = tmp_path / "attached.pdf"
    path.write_bytes(faults.with_attachment(record_of(draw_page()).apply()))
    assert {finding["detector"] for finding in unmasked(path)} - BY_DESIGN == {"attached-file"}


def test_qpdf_finds_a_broken_table(tmp_path: Path) -> None:
    path = tmp_path / "broken.pdf"
    path.write_bytes(faults.between_objects(record_of(draw_page()).apply()).replace(b"startxref\n", b"startxref\n9"))
    assert "WARNING" in run("qpdf", "--check", path, accept=(2, 3))

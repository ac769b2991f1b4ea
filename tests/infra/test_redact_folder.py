"""`foi redact`: what goes in, what comes out, and what a bad file cannot stop."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pikepdf
import pypdfium2
import pytest
from PIL import Image, ImageDraw, ImageFont

from infra.redact_folder import Input, Outcome, exit_code, gather

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent.parent
FONT = "/usr/share/fonts/truetype/liberation2/LiberationSans-Regular.ttf"
SECRET = "jo.bloggs@eastmere.example.com"


def page(*lines: str) -> Image.Image:
    image = Image.new("L", (1240, 600), 255)
    draw = ImageDraw.Draw(image)
    for n, line in enumerate(lines):
        draw.text((90, 80 + 60 * n), line, fill=0, font=ImageFont.truetype(FONT, 34))
    return image


def save(path: Path, *lines: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    page(*lines).save(path, dpi=(150, 150))
    return path


def foi(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "infra.cli", *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


def text_of(pdf: Path) -> str:
    return "\n".join(page.get_textpage().get_text_range() for page in pypdfium2.PdfDocument(pdf))


@pytest.fixture(scope="module")
def redacted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """One folder with a good file, a nested one, two whose stems collide, and three bad ones, redacted once."""
    root = tmp_path_factory.mktemp("folder")
    save(root / "in/memo.png", "The display was changed on 12 March 2019.", f"Contact {SECRET} for copies.")
    save(root / "in/deep/er/Plan B (final).tif", "Nothing to withhold on this page.", "It has two lines of text.")
    save(root / "in/twin.png", "The first of two twins says little.")
    save(root / "in/twin.jpg", "The second of two twins says as much.")
    (root / "in/empty.pdf").write_bytes(b"")
    (root / "in/broken.tiff").write_bytes(b"II*\x00\x08\x00\x00\x00garbage")
    (root / "in/renamed.pdf").write_bytes(b"MZ this is a program")
    (root / "in/notes.txt").write_text("not a record")
    return root / "out", foi("redact", root / "in", "--output", root / "out", "--jobs", 2)


def outcomes(folder: Path) -> dict[str, str]:
    return {
        p.relative_to(folder).as_posix(): json.loads(p.read_bytes())["outcome"] for p in sorted(folder.rglob("*.json"))
    }


def test_every_file_gets_its_own_result(redacted: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    out, _ = redacted
    found = outcomes(out)
    assert set(found) == {
        "memo.json",
        "deep/er/Plan B (final).json",
        "twin.png.json",
        "twin.jpg.json",
        "empty.json",
        "broken.json",
        "renamed.json",
    }
    bad = {"empty.json", "broken.json", "renamed.json"}
    assert {name for name, outcome in found.items() if outcome == "rejected"} == bad
    pdfs = {p.relative_to(out).as_posix() for p in out.rglob("*.pdf")}
    assert pdfs == {name.replace(".json", ".pdf") for name in set(found) - bad}


def test_a_bad_file_sets_the_exit_code_and_is_named(redacted: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    _, done = redacted
    assert done.returncode == 4, done.stderr
    for name in ("empty", "broken", "renamed"):
        assert name in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_the_value_is_gone_and_the_rest_is_readable(redacted: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    out, done = redacted
    text = text_of(out / "memo.pdf")
    assert "bloggs" not in text and "@" not in text
    assert "March" in text and "copies" in text
    assert "withheld: s.31(1)(a)" in text
    assert SECRET not in done.stdout + done.stderr + (out / "memo.json").read_text()
    with pikepdf.open(out / "memo.pdf") as pdf:
        assert len(pdf.pages) == 1


def test_the_json_says_where_and_why(redacted: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    out, _ = redacted
    document = json.loads((out / "memo.json").read_bytes())
    assert document["gate"]["passed"] is True
    (mark,) = document["marks"]
    assert mark["kinds"] == ["email"]
    assert mark["exemption"] == "s.31(1)(a)"
    assert mark["regions"]


def test_no_half_written_file_is_left(redacted: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    out, _ = redacted
    assert [p for p in out.rglob("*") if p.is_file() and p.suffix not in {".pdf", ".json"}] == []


def test_running_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    source = save(tmp_path / "a.png", f"Write to {SECRET} or call 020 7946 0123.")
    for name in ("one", "two"):
        assert foi("redact", source, "--output", tmp_path / name).returncode in {0, 3}
    for suffix in ("pdf", "json"):
        assert (tmp_path / f"one/a.{suffix}").read_bytes() == (tmp_path / f"two/a.{suffix}").read_bytes()


def test_a_result_of_an_earlier_run_does_not_outlive_a_rejection(tmp_path: Path) -> None:
    source = save(tmp_path / "a.png", "A page with a little text on it.")
    assert foi("redact", source, "--output", tmp_path / "out").returncode in {0, 3}
    source.write_bytes(b"no longer an image")
    assert foi("redact", source, "--output", tmp_path / "out").returncode == 4
    assert not (tmp_path / "out/a.pdf").exists()


def test_what_is_not_looked_at_is_named(redacted: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    _, done = redacted
    assert "Not looked at: 1" in done.stderr and "notes.txt" in done.stderr


def test_an_output_that_is_a_file_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    taken = tmp_path / "out"
    taken.write_bytes(b"mine")
    done = foi("redact", save(tmp_path / "memo.png", "x"), "--output", taken)
    assert done.returncode == 2 and "--output" in done.stderr
    assert taken.read_bytes() == b"mine"


def test_results_never_take_the_place_of_originals(tmp_path: Path) -> None:
    original = tmp_path / "in" / "scan.pdf"
    original.parent.mkdir()
    original.write_bytes(b"damaged, and the only copy")
    done = foi("redact", original.parent, "--output", original.parent)
    assert done.returncode == 2
    assert "scan.pdf" in done.stderr
    assert original.read_bytes() == b"damaged, and the only copy"


def test_links_are_not_followed(tmp_path: Path) -> None:
    secret = save(tmp_path / "elsewhere" / "secret.png", "Not for this output.")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "link.png").symlink_to(secret)
    assert gather([tmp_path / "in"]) == []


@pytest.mark.parametrize("arguments", [("nowhere.pdf",), (".git",)])
def test_nothing_to_do_is_said(arguments: tuple[str, ...], tmp_path: Path) -> None:
    done = foi("redact", *(tmp_path / a for a in arguments), "--output", tmp_path / "out")
    assert done.returncode == 2
    assert "no file" in done.stderr


def test_stems_that_collide_across_arguments_stay_apart(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        save(tmp_path / folder / "scan.png", "x")
    stems = [str(one.stem) for one in gather([tmp_path / "a", tmp_path / "b"])]
    assert len(set(stems)) == 2


def test_the_worst_outcome_decides_the_exit_code() -> None:
    def all_of(*words: str) -> list[Outcome]:
        return [Outcome(Input(Path(w), Path(w)), w) for w in words]

    assert exit_code([]) == 0
    assert exit_code(all_of("redacted")) == 0
    assert exit_code(all_of("redacted", "held")) == 3
    assert exit_code(all_of("held", "rejected", "redacted")) == 4
    assert exit_code(all_of("rejected", "refused")) == 5

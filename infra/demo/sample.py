"""The sample request: seven scanned records, one damaged file and `request.json`, with the truth of what they hold.

Rule kept here: the same bytes every time (on the same library versions), so that a demo, its tests and its pictures
speak of the same thing.

    python -m infra.demo.sample OUTDIR     writes OUTDIR/<reference>/records/* and OUTDIR/<reference>/request.json
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from infra.demo.containers import Baggage, cut_short, jpeg, misread, pdf, png, tiff_g4
from infra.demo.documents import directory, email, fax, form, intranet, memo, poster, request
from infra.demo.paper import RED_INK, VIOLET_INK, Paper
from infra.demo.scanning import Scan, Scanner, scan, send_by_fax, threshold
from infra.demo.sheet import Sheet, Truth

EXIF_ARTIST = 0x013B
EXIF_DATE = 0x0132
FORM_OPERATOR = "dorian.clegg@eastmere.police.example"


@dataclass(frozen=True, slots=True)
class Drawn:
    """One file of the sample.

    Attributes:
        name: as a scanner, a fax server or a person named it.
        content: its bytes.
        truth: what is planted where one can see it.
        hidden: what is planted where one cannot.
    """

    name: str
    title: str
    date: str
    content: bytes = field(repr=False)
    truth: Truth = field(default=Truth(), repr=False)
    hidden: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Sample:
    """The request folder and what is known of it. Keys are paths inside the folder, as in `records/scan0007.tif`.

    Attributes:
        reference: the folder's name.
        files: every file, `request.json` last, as it is to be uploaded.
        secrets: contact details that are printed, each as printed, per file; a value of few digits (an extension) is
            to be searched for as a whole word. The requester's own are under `request.json`, with their names.
        hidden: contact details in metadata, attachments, earlier revisions and the OCR layer, per file; those of the
            OCR layer as the old reader saw them.
        public_contacts: printed contacts that must stay readable.
        kept: per file, what only looks like a contact detail and must stay readable.
        damaged: files that no reader opens.
    """

    reference: str
    files: Mapping[str, bytes] = field(repr=False)
    secrets: Mapping[str, tuple[str, ...]] = field(repr=False)
    hidden: Mapping[str, tuple[str, ...]] = field(repr=False)
    public_contacts: tuple[str, ...]
    kept: Mapping[str, tuple[str, ...]] = field(repr=False)
    damaged: tuple[str, ...]


def build_sample() -> Sample:
    """Draw everything.

    Raises:
        ConfigurationError: a font is missing; names the Debian package that brings it.
    """
    drawn = [draw() for draw in RECORDS]
    paths = {one.name: f"records/{one.name}" for one in drawn}
    content, asked = request.write_request([(paths[one.name], one.title, one.date) for one in drawn])
    encoded = json.dumps(content, ensure_ascii=False, indent=2).encode() + b"\n"
    public = dict.fromkeys(value for one in drawn for value in one.truth.public)
    return Sample(
        reference=request.REFERENCE,
        files={paths[one.name]: one.content for one in drawn} | {"request.json": encoded},
        secrets={paths[one.name]: one.truth.withheld for one in drawn}
        | {"request.json": (*asked.withheld, *content["requester"])},
        hidden={paths[one.name]: one.hidden for one in drawn if one.hidden},
        public_contacts=tuple(public),
        kept={paths[one.name]: one.truth.kept for one in drawn} | {"request.json": asked.kept},
        damaged=tuple(paths[one.name] for one in drawn if one.name == DAMAGED),
    )


def write_sample(folder: Path) -> Path:
    """Write the sample below `folder`, `request.json` last.

    Returns:
        The request's folder, named by its reference.
    """
    sample = build_sample()
    home = folder / sample.reference
    for path, content in sample.files.items():
        (home / path).parent.mkdir(parents=True, exist_ok=True)
        (home / path).write_bytes(content)
    return home


def _posters() -> Drawn:
    name, scans, sheets = "SKM_C45826111709120.pdf", [], poster.set_posters(150)
    for number, (sheet, skew) in enumerate(zip(sheets, (-0.5, 0.35), strict=True)):
        paper = Paper(sheet, f"{name} {number}", colour=True)
        paper.wear_toner(0.045, 25)
        paper.tint((252, 251, 248))
        if number == 0:
            paper.fold(148.5, 0.12)
            for x, y in ((9, 9), (201, 9.5), (9.5, 288), (200.5, 287.5)):
                paper.pin(x, y)
        scans.append(scan(paper, Scanner(skew, (0.6, -0.4), 0.9, 0.75, 0.016, 0.1, 1, 0.03, 0.98, 0.7)))
    return Drawn(name, "Campaign posters A and B", "2026-02-27", pdf(scans, 72, _scanner_info()), _truth(*sheets))


def _intranet() -> Drawn:
    name, scans, sheets = "SKM_C45826111709141.pdf", [], intranet.set_intranet(200)
    for number, (sheet, skew) in enumerate(zip(sheets, (0.6, 0.45), strict=True)):
        paper = Paper(sheet, f"{name} {number}", colour=True)
        paper.wear_toner(0.08, 30)
        paper.tint((253, 252, 249))
        paper.show_through(sheets[1 - number], 0.045)
        if number == 0:
            paper.staple(15, 3.6, 0.12)
            paper.highlight(13, 204.5, 94)
        scans.append(scan(paper, Scanner(skew, (-0.5, 0.5), 0.82, 0.6, 0.015, 0.14, 2, 0.05, 0.97, 0.5)))
    return Drawn(name, "Intranet page, printed", "2026-11-17", pdf(scans, 74, _scanner_info()), _truth(*sheets))


def _directory() -> Drawn:
    name, scans, sheets = "scan0007.tif", [], directory.set_directory(300)
    for number, (sheet, skew) in enumerate(zip(sheets, (0.4, -0.3, 0.7), strict=True)):
        paper = Paper(sheet, f"{name} {number}")
        paper.wear_toner(0.07, 90)
        paper.punch((7.5, 7.5), (108.5, 188.5))
        grey = scan(paper, Scanner(skew, (0.3, 0.8), 0.35, 0.9, 0.05, 0.25, 1))
        scans.append(threshold(grey, 0.68, 0.04, number))
    return Drawn(name, "Staff directory, issue 23", "2026-09-01", tiff_g4(scans), _truth(*sheets))


def _email() -> Drawn:
    name, scans, sheets = "Scan_20261117_0003.pdf", [], email.set_email(200)
    for number, (sheet, skew) in enumerate(zip(sheets, (1.3, -0.8), strict=True)):
        paper = Paper(sheet, f"{name} {number}")
        paper.wear_toner(0.16, 70)
        paper.show_through(sheets[1 - number], 0.06)
        paper.punch((8, 8), (108.5, 188.5))
        if number == 0:
            paper.staple(17, 13)
            paper.stamp(166, 240, ("PSD REGISTRY", "12 FEB 2026", "COPY"), degrees=7)
        else:
            paper.fold(150, 0.08)
        scans.append(scan(paper, Scanner(skew, (0.8, 0.2), 0.8, 0.7, 0.022, 0.2, 2, 0.08, 0.94)))
    info, xmp = email.metadata()
    baggage = Baggage(info, xmp, {email.ATTACHMENT_NAME: email.attachment()}, email.OLD_NOTE)
    truth = _truth(*sheets)
    return Drawn(
        name,
        "E-mail chain on the February reprint",
        "2026-02-11",
        pdf(scans, 62, baggage, ocr=True),
        truth,
        (*email.hidden_values(), *_misread_values(scans, truth)),
    )


def _fax() -> Drawn:
    name, sheet, header = "FAX-0231.tif", fax.set_fax(204), fax.set_fax_header(204)
    paper = Paper(sheet, name)
    paper.wear_toner(0.12, 110)
    paper.sign(*fax.SIGNATURE_MM, 40, loops=7)
    grey = scan(paper, Scanner(-0.9, (0.4, 2.5), 0.55, 0.75, 0.05, 0.22, 2, 0.1, 0.92))
    return Drawn(
        name,
        "Fax from the printer of the posters",
        "2026-02-13",
        tiff_g4([send_by_fax(grey, header, 231)]),
        _truth(sheet, header),
    )


def _memo() -> Drawn:
    name, sheet = "Scan 4 (1).png", memo.set_memo(200)
    paper = Paper(sheet, name)
    paper.wear_toner(0.14, 45)
    paper.punch((9, 9), (108.5, 188.5), 0.3)
    paper.fold(101, 0.13)
    paper.fold(199, 0.12)
    paper.sign(*memo.SIGNATURE_MM, 34, loops=4)
    paper.stamp(*memo.STAMP_MM, ("RECEIVED", "23 FEB 2026", "NORTH STATION"), degrees=-6)
    grey = scan(paper, Scanner(-0.8, (0.3, 0.2), 0.7, 0.7, 0.02, 0.2, 1, 0.08, 0.9))
    return Drawn(name, "Memorandum on the display of posters", "2026-02-19", png(grey), _truth(sheet))


def _form() -> Drawn:
    name, sheet = "DOC171126.jpg", form.set_form(200)
    paper = Paper(sheet, name, colour=True)
    paper.wear_toner(0.08, 40)
    paper.tint((253, 250, 240))
    paper.smudge_rim(172, 176, 34)
    for x, y in form.TICKED_MM:
        paper.tick(x, y + 1)
    paper.sign(*form.SIGNATURE_MM, 46)
    paper.stamp(*form.STAMP_MM, ("ESTATES", "24 FEB 2026", "APPROVED"), RED_INK, 8)
    paper.stamp(120, 262, ("COPY 2",), VIOLET_INK, -3, 11)
    seen = scan(paper, Scanner(0.55, (-0.4, 0.6), 0.88, 0.65, 0.016, 0.12, 1, 0.05, 0.97, 0.5))
    exif = {EXIF_DATE: "2026:11:17 09:31:07", EXIF_ARTIST: FORM_OPERATOR}
    return Drawn(
        name,
        "Request to display campaign material, form PSD 47",
        "2026-02-20",
        jpeg(seen, 70, exif),
        _truth(sheet),
        (FORM_OPERATOR,),
    )


def _damaged() -> Drawn:
    """A page whose transfer broke off before the TIFF's directory, which stands at its end."""
    sheet = Sheet(100)
    sheet.lines(20, 30, ["Distribution list, sheet 2 of 2"] * 30, 12)
    whole = tiff_g4([threshold(scan(Paper(sheet, DAMAGED), Scanner(0.2)))])
    return Drawn(DAMAGED, "Distribution list, sheet 2", "2026-02-27", cut_short(whole, 0.6))


DAMAGED = "scan0009.tif"
RECORDS: tuple[Callable[[], Drawn], ...] = (
    _posters,
    _intranet,
    _directory,
    _email,
    _fax,
    _memo,
    _form,
    _damaged,
)


def _truth(*sheets: Sheet) -> Truth:
    total = Truth()
    for sheet in sheets:
        total += sheet.truth
    return total


def _scanner_info() -> Baggage:
    return Baggage({"Producer": "SKM scan engine 3.1", "CreationDate": "D:20261117091200Z"})


def _misread_values(scans: list[Scan], truth: Truth) -> tuple[str, ...]:
    """The printed values as the OCR layer holds them, where it holds them whole."""
    printed = [word.text for page in scans for word in page.words]
    seen = [word for page in scans for word in misread([placed.text for placed in page.words])]
    found: dict[str, None] = {}
    for value in truth.withheld:
        parts = value.split()
        for start in range(len(printed) - len(parts) + 1):
            if all(part in word for part, word in zip(parts, printed[start : start + len(parts)], strict=True)):
                old = [word.strip(".,;:<>()") for word in seen[start : start + len(parts)]]
                if all(old):
                    found[" ".join(old)] = None
    return tuple(found)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m infra.demo.sample", description="Write the sample request.")
    parser.add_argument("outdir", type=Path, help="folder to write <reference>/ into")
    print(write_sample(parser.parse_args().outdir))


if __name__ == "__main__":
    main()

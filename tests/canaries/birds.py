"""A request in which every place that can hold text holds a value of its own, so that a find says where it came from.

Two kinds. What is *withheld* (contact details, names of the requester, a term the request names, metadata) may be
neither in Prefect, logs and temporary files nor in public. Ordinary *text* of a record may be published; it still has
no business in Prefect, logs or temporary files.
"""

from __future__ import annotations

import io
import json

import pikepdf
from PIL import Image, PngImagePlugin, TiffImagePlugin
from PIL.ExifTags import Base

from tests.pictures import encoded, typed

SINGS, BROKEN, LOST = "CANARY-1", "CANARY-2", "CANARY-3"
NAMED_AFTER_A_PERSON = "brambling at folderbird"  # no reference: a space

PHONE_ON_PAPER, PHONE_IN_REQUEST, PHONE_IN_TITLE = "07700 900461", "020 7946 0733", "01632 960572"

WITHHELD = {
    "e-mail in a PDF's pixels": "paperbird",
    "e-mail in a PNG's pixels": "pngbird",
    "term in the pixels that the request names": "nightjarterm",
    "PDF author": "authorbird",
    "PDF title": "doctitlebird",
    "XMP": "xmpbird",
    "attachment's name": "attachmentnamebird",
    "attachment": "attachmentbird",
    "annotation": "annotationbird",
    "bookmark": "bookmarkbird",
    "JavaScript": "scriptbird",
    "hidden text": "hiddenbird",
    "EXIF description": "exifbird",
    "EXIF artist": "artistbird",
    "JPEG comment": "commentbird",
    "PNG text": "pngtextbird",
    "TIFF description": "tiffbird",
    "file name": "filenamebird",
    "name of a broken file": "badnamebird",
    "broken PDF": "brokenpdfbird",
    "unknown operator in a PDF's page": "operatorbird",
    "broken TIFF": "brokenscanbird",
    "locked PDF": "lockedbird",
    "no picture at all": "programbird",
    "unlisted file's name": "unlistedbird",
    "requester's first name": "Quillfeather",
    "requester's last name": "Oakshottbird",
    "requester's e-mail": "requesterbird",
    "clarification": "clarifybird",
    "title": "titlebird",
    "record title": "recordtitlebird",
    "reason of the decision": "reasonbird",
    "invalid value": "invalidbird",
    "invalid field name": "fieldbird",
    "folder's name": "folderbird",
    "damaged status": "statusbird",
    "phone on paper": PHONE_ON_PAPER,
    "phone in the request": PHONE_IN_REQUEST,
    "phone in a record's title": PHONE_IN_TITLE,
}
TEXT = {"words on paper": "Thistledown", "words of the request": "Marrowfield"}


def address(bird: str) -> str:
    return f"{bird}@eastmere.example.org"


def talkative_pdf() -> bytes:
    """A good page, with something in every other place a PDF has."""
    seen = typed(
        "The Thistledown poster was printed twice.",
        f"Write to {address('paperbird')} today.",
        f"Ring {PHONE_ON_PAPER} about Nightjarterm.",
    )
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(encoded(seen, "PDF", resolution=150))) as pdf:
        with pdf.open_metadata(set_pikepdf_as_editor=False) as xmp:
            xmp["dc:description"] = address("xmpbird")
        pdf.docinfo["/Author"] = address("authorbird")
        pdf.docinfo["/Title"] = address("doctitlebird")
        pdf.attachments[address("attachmentnamebird") + ".txt"] = address("attachmentbird").encode()
        with pdf.open_outline() as outline:
            outline.root.append(pikepdf.OutlineItem(address("bookmarkbird"), 0))
        pdf.Root.OpenAction = pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS=f"app.alert('{address('scriptbird')}')")
        note = pikepdf.Dictionary(
            Type=pikepdf.Name.Annot,
            Subtype=pikepdf.Name.Text,
            Rect=[10, 10, 30, 30],
            Contents=address("annotationbird"),
        )
        first = pdf.pages[0]
        first.Annots = pdf.make_indirect([pdf.make_indirect(note)])
        first.Resources.Font = pikepdf.Dictionary(
            F1=pikepdf.Dictionary(Type=pikepdf.Name.Font, Subtype=pikepdf.Name.Type1, BaseFont=pikepdf.Name.Helvetica)
        )
        hidden = (
            f"BT /F1 12 Tf 3 Tr 20 20 Td ({address('hiddenbird')}) Tj ET operatorbird ({address('operatorbird')}) gs"
        )
        first.contents_add(hidden.encode())
        pdf.save(out)
    return out.getvalue()


def talkative_jpeg() -> bytes:
    exif = Image.Exif()
    exif[Base.ImageDescription] = address("exifbird")
    exif[Base.Artist] = address("artistbird")
    return encoded(
        typed("Nothing on this page is withheld."), "JPEG", quality=85, exif=exif, comment=address("commentbird")
    )


def talkative_png() -> bytes:
    chunks = PngImagePlugin.PngInfo()
    chunks.add_itxt("Comment", address("pngtextbird"), zip=True)
    return encoded(typed("A memo.", f"From {address('pngbird')}."), "PNG", dpi=(150, 150), pnginfo=chunks)


def talkative_tiff() -> bytes:
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[270] = address("tiffbird")
    return encoded(typed("A table of figures: 12, 14, 19."), "TIFF", tiffinfo=tags, dpi=(150, 150))


def locked_pdf() -> bytes:
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(encoded(typed("Locked."), "PDF"))) as pdf:
        pdf.save(out, encryption=pikepdf.Encryption(user="secret", owner="secret"))
    return out.getvalue() + f"% {address('lockedbird')}\n".encode()


def broken_pdf() -> bytes:
    """No page can be found, and what stands in their place is text that a parser likes to quote."""
    name = "brokenpdfbird"
    return (
        f"%PDF-1.7\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R /{name} ({address(name)}) >>\nendobj\n"
        f"2 0 obj\n<< /Type /{name} /Kids [{name} 3 0 R] /Count 1 >>\nendobj\n3 0 obj\n{name} {address(name)}\nendobj\n"
        f"trailer\n<< /Root 1 0 R /Size 4 >>\nstartxref\n{name}\n%%EOF\n"
    ).encode()


RECORDS = {
    "records/poster.pdf": talkative_pdf(),
    f"records/memo from {address('filenamebird')}.png": talkative_png(),
    "records/photo.jpg": talkative_jpeg(),
    "records/table.tiff": talkative_tiff(),
}
BAD_RECORDS = {
    f"records/{address('badnamebird')}.pdf": broken_pdf(),
    "records/cut short.tiff": b"II*\x00\x08\x00\x00\x00" + address("brokenscanbird").encode(),
    "records/locked.pdf": locked_pdf(),
    "records/program.png": b"MZ" + address("programbird").encode(),
}
UNLISTED = {f"records/{address('unlistedbird')}.png": encoded(typed("Unlisted."), "PNG")}


def request(reference: str, **fields: object) -> bytes:
    return json.dumps(
        {"reference": reference, "title": "Posters", "received": "2026-03-02", "request_text": "Posters.", **fields}
    ).encode()


def whole_request() -> bytes:
    """Every field that takes text, with text."""
    listed = [{"file": name} for name in (*RECORDS, *BAD_RECORDS)]
    listed[0]["title"] = f"Poster of {PHONE_IN_TITLE}"
    listed[2]["title"] = f"Photo by {address('recordtitlebird')}"
    return request(
        SINGS,
        title=f"Posters, asked for by {address('titlebird')}",
        request_text=(
            f"Dear team,\nplease send the Marrowfield posters to Quillfeather Oakshottbird at "
            f"{address('requesterbird')}, or ring {PHONE_IN_REQUEST}.\nQ. Oakshottbird"
        ),
        requester=["Quillfeather Oakshottbird"],
        clarification=[
            {"from": "authority", "date": "2026-03-03", "text": "Which posters?"},
            {"from": "requester", "date": "2026-03-04", "text": f"All. Copy {address('clarifybird')} in."},
        ],
        decision={"exemptions": [{"section": "s.31(1)(a)", "reason": f"Ask {address('reasonbird')} why."}]},
        records=listed,
        policy={"terms": ["Nightjarterm"]},
        review="none",
    )


def invalid_request() -> bytes:
    """Wrong in value and in name, with text that a validator would quote."""
    return request(
        BROKEN,
        received=address("invalidbird"),
        review=address("invalidbird"),
        requester={"name": address("invalidbird")},
        **{f"ask {address('fieldbird')}": "x"},
    )

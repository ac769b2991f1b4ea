"""The new file: written object by object, holding what is handed in and nothing else.

Rules kept here: the source's objects never come here; no dates, no random identifier, so the same input gives the same
bytes; a page has one image, one content stream, one font. PyMuPDF is not thread-safe: one document at a time.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
import zlib
from collections.abc import Sequence
from typing import Any

import pymupdf

from tasks.redaction.encode import ImageStream
from tasks.redaction.font import ADVANCE_UNITS, UNITS_PER_EM, build_font, to_unicode

PRODUCER = "foi-disclosure"


SIGNATURE = re.compile(rb"(?<=\n)% Written by [^\n]*(?=\n)")


class DocumentWriter:
    """Collects pages and gives the finished file.

    Args:
        title: safe to publish.
        language: BCP 47 tag, e.g. `en-GB`.
        chars: every character the text layers use, without repetition.
    """

    def __init__(self, title: str, language: str, chars: Sequence[str]) -> None:
        self._file: Any = pymupdf.open()
        self._pages: list[int] = []
        self._digest = hashlib.sha256()
        self._title = "".join(c if unicodedata.category(c)[0] != "C" else " " for c in title).strip()
        self._language = language
        self._tree = int(self._file.xref_get_key(self._file.pdf_catalog(), "Pages")[1].split()[0])
        self._font = self._write_font(chars)

    def add_page(self, image: ImageStream, content: bytes, size_pt: tuple[float, float]) -> None:
        """Append a page.

        Args:
            image: fills the page.
            content: operators of its text layer.
            size_pt: (width, height).
        """
        width, height = (f"{side:.3f}".rstrip("0").rstrip(".") for side in size_pt)
        entries = "".join(f"/{key} {value}" for key, value in image.entries if key not in ("Filter", "DecodeParms"))
        picture = self._stream(
            f"<</Type/XObject/Subtype/Image/Width {image.width}/Height {image.height}{entries}>>",
            image.data,
            {key: value for key, value in image.entries if key in ("Filter", "DecodeParms")},
        )
        drawing = f"q {width} 0 0 {height} 0 0 cm /Im1 Do Q\n".encode("ascii") + content
        contents = self._compressed("<<>>", drawing)
        self._pages.append(
            self._object(
                f"<</Type/Page/Parent {self._tree} 0 R/MediaBox[0 0 {width} {height}]/CropBox[0 0 {width} {height}]"
                f"/Resources<</XObject<</Im1 {picture} 0 R>>/Font<</F1 {self._font} 0 R>>>>/Contents {contents} 0 R>>"
            )
        )

    def finish(self) -> bytes:
        """The file. The writer is of no use afterwards."""
        kids = " ".join(f"{page} 0 R" for page in self._pages)
        self._file.update_object(self._tree, f"<</Type/Pages/Count {len(self._pages)}/Kids[{kids}]>>")
        title = pymupdf.get_pdf_str(self._title)
        self._digest.update(f"{title}\n{self._language}".encode())
        info = self._object(f"<</Title {title}/Producer({PRODUCER})>>")
        # Structure (tagged PDF) would hang below the catalog: /MarkInfo, /StructTreeRoot, and /StructParents on pages.
        self._file.update_object(
            self._file.pdf_catalog(),
            f"<</Type/Catalog/Pages {self._tree} 0 R/Lang {pymupdf.get_pdf_str(self._language)}"
            "/ViewerPreferences<</DisplayDocTitle true>>>>",
        )
        identifier = self._digest.hexdigest()[:32]
        self._file.xref_set_key(-1, "Info", f"{info} 0 R")
        self._file.xref_set_key(-1, "ID", f"[<{identifier}><{identifier}>]")
        data: bytes = self._file.tobytes(garbage=0, no_new_id=True)
        self._file.close()
        return _without_signature(data)

    def _object(self, text: str) -> int:
        number: int = self._file.get_new_xref()
        self._file.update_object(number, text)
        return number

    def _stream(self, dictionary: str, data: bytes, filters: dict[str, str]) -> int:
        number = self._object(dictionary)
        self._file.update_stream(number, data, compress=0)
        for key, value in filters.items():
            self._file.xref_set_key(number, key, value)
        self._digest.update(hashlib.sha256(data).digest())
        return number

    def _compressed(self, dictionary: str, data: bytes) -> int:
        return self._stream(dictionary, zlib.compress(data, 9), {"Filter": "/FlateDecode"})

    def _write_font(self, chars: Sequence[str]) -> int:
        program = build_font(len(chars))
        file = self._compressed(f"<</Length1 {len(program)}>>", program)
        descriptor = self._object(
            f"<</Type/FontDescriptor/FontName/FOIAAA+Invisible/Flags 4/FontBBox[0 0 {ADVANCE_UNITS} {UNITS_PER_EM}]"
            f"/ItalicAngle 0/Ascent {UNITS_PER_EM}/Descent 0/CapHeight {UNITS_PER_EM}/StemV 80/FontFile2 {file} 0 R>>"
        )
        descendant = self._object(
            "<</Type/Font/Subtype/CIDFontType2/BaseFont/FOIAAA+Invisible"
            "/CIDSystemInfo<</Registry(Adobe)/Ordering(Identity)/Supplement 0>>"
            f"/FontDescriptor {descriptor} 0 R/DW {ADVANCE_UNITS}/CIDToGIDMap/Identity>>"
        )
        unicode = self._compressed("<<>>", to_unicode(chars))
        return self._object(
            "<</Type/Font/Subtype/Type0/BaseFont/FOIAAA+Invisible/Encoding/Identity-H"
            f"/DescendantFonts[{descendant} 0 R]/ToUnicode {unicode} 0 R>>"
        )


def _without_signature(data: bytes) -> bytes:
    """The file with the comment naming the library's version blanked, offsets unchanged."""
    return SIGNATURE.sub(lambda comment: b"%" + b" " * (len(comment[0]) - 1), data, count=1)

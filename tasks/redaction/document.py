"""The new file: written object by object, holding what is handed in and nothing else.

Rules kept here: the source's objects never come here; no dates, no random identifier, so the same input gives the same
bytes; a page has one image, one content stream, one font. The file is tagged (ISO 14289-1, PDF/UA-1): a document of one
section a page, of which the paragraphs of the text layer are all there is to hear; the picture of the page is an
artifact. Where nothing was read, the picture is a figure that says so. PyMuPDF is not thread-safe: one document at a
time.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
import zlib
from collections.abc import Sequence
from typing import Any
from xml.sax.saxutils import escape

import pymupdf

from tasks.redaction.encode import ImageStream
from tasks.redaction.font import ADVANCE_UNITS, UNITS_PER_EM, build_font, to_unicode

PRODUCER = "foi-disclosure"

UNREAD = "Picture of the page. No text was read from it."
"""What is heard of a page without text."""

METADATA = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:pdf="http://ns.adobe.com/pdf/1.3/"
 xmlns:pdfuaid="http://www.aiim.org/pdfua/ns/id/">
<dc:title><rdf:Alt><rdf:li xml:lang="x-default">{title}</rdf:li></rdf:Alt></dc:title>
<dc:language><rdf:Bag><rdf:li>{language}</rdf:li></rdf:Bag></dc:language>
<pdf:Producer>{producer}</pdf:Producer>
<pdfuaid:part>1</pdfuaid:part>
</rdf:Description></rdf:RDF></x:xmpmeta>
<?xpacket end="r"?>"""
"""XMP (ISO 16684-1): title, language, and that the file follows PDF/UA-1."""

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
        self._document = self._file.get_new_xref()
        self._sections: list[int] = []
        self._parents: list[str] = []
        self._font = self._write_font(chars)

    def add_page(self, image: ImageStream, content: bytes, size_pt: tuple[float, float], paragraphs: int) -> None:
        """Append a page.

        Args:
            image: fills the page.
            content: operators of its text layer.
            size_pt: (width, height).
            paragraphs: pieces of marked content in it, identified 0, 1, ...
        """
        width, height = (f"{side:.3f}".rstrip("0").rstrip(".") for side in size_pt)
        entries = "".join(f"/{key} {value}" for key, value in image.entries if key not in ("Filter", "DecodeParms"))
        picture = self._stream(
            f"<</Type/XObject/Subtype/Image/Width {image.width}/Height {image.height}{entries}>>",
            image.data,
            {key: value for key, value in image.entries if key in ("Filter", "DecodeParms")},
        )
        tag = "/Artifact BMC" if paragraphs else "/Figure <</MCID 0>> BDC"
        drawing = f"{tag}\nq {width} 0 0 {height} 0 0 cm /Im1 Do Q\nEMC\n".encode("ascii") + content
        contents = self._compressed("<<>>", drawing)
        page = self._object(
            f"<</Type/Page/Parent {self._tree} 0 R/MediaBox[0 0 {width} {height}]/CropBox[0 0 {width} {height}]"
            f"/Resources<</XObject<</Im1 {picture} 0 R>>/Font<</F1 {self._font} 0 R>>>>/Contents {contents} 0 R"
            f"/StructParents {len(self._pages)}/Tabs/S>>"
        )
        self._pages.append(page)
        box = f"/Alt({UNREAD})/A<</O/Layout/Placement/Block/BBox[0 0 {width} {height}]>>"
        self._add_section(page, paragraphs, box)

    def finish(self) -> bytes:
        """The file. The writer is of no use afterwards."""
        kids = " ".join(f"{page} 0 R" for page in self._pages)
        self._file.update_object(self._tree, f"<</Type/Pages/Count {len(self._pages)}/Kids[{kids}]>>")
        title = pymupdf.get_pdf_str(self._title)
        self._digest.update(f"{title}\n{self._language}".encode())
        info = self._object(f"<</Title {title}/Producer({PRODUCER})>>")
        said = METADATA.format(title=escape(self._title), language=self._language, producer=PRODUCER)
        metadata = self._stream("<</Type/Metadata/Subtype/XML>>", said.encode(), {})  # plain, for those who only grep
        self._file.update_object(
            self._file.pdf_catalog(),
            f"<</Type/Catalog/Pages {self._tree} 0 R/Lang {pymupdf.get_pdf_str(self._language)}"
            f"/ViewerPreferences<</DisplayDocTitle true>>/MarkInfo<</Marked true>>/Metadata {metadata} 0 R"
            f"/StructTreeRoot {self._write_structure()} 0 R>>",
        )
        identifier = self._digest.hexdigest()[:32]
        self._file.xref_set_key(-1, "Info", f"{info} 0 R")
        self._file.xref_set_key(-1, "ID", f"[<{identifier}><{identifier}>]")
        data: bytes = self._file.tobytes(garbage=0, no_new_id=True)
        self._file.close()
        return _without_signature(data)

    def _add_section(self, page: int, paragraphs: int, figure: str) -> None:
        """The tags of a page: its paragraphs, or a figure with these entries when there are none."""
        section = self._file.get_new_xref()
        kinds = ["/P"] * paragraphs or ["/Figure" + figure]
        parts = " ".join(
            f"{self._object(f'<</S{kind}/P {section} 0 R/Pg {page} 0 R/K {number}>>')} 0 R"
            for number, kind in enumerate(kinds)
        )
        self._file.update_object(section, f"<</S/Sect/P {self._document} 0 R/K[{parts}]>>")
        self._sections.append(section)
        self._parents.append(f"{len(self._parents)}[{parts}]")

    def _write_structure(self) -> int:
        """The root of the tags, and the table that leads from marked content back to them (ISO 32000-1, 14.7.4.4)."""
        parents = self._object(f"<</Nums[{' '.join(self._parents)}]>>")
        root = self._object(
            f"<</Type/StructTreeRoot/K {self._document} 0 R/ParentTree {parents} 0 R"
            f"/ParentTreeNextKey {len(self._parents)}>>"
        )
        sections = " ".join(f"{section} 0 R" for section in self._sections)
        self._file.update_object(self._document, f"<</S/Document/P {root} 0 R/K[{sections}]>>")
        return root

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

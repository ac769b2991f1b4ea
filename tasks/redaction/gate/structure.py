"""The object graph: a short list of what may be there, and a name for everything else.

Rule kept here: entries are allowed by name, never forbidden by name; a forbidden list only decides which finding is
raised. What the entries for tags and metadata lead to is judged in `tags`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pikepdf

from tasks.model import Finding
from tasks.redaction.gate.checks import FAULTS, file_check, page_check
from tasks.redaction.gate.output import Output, PageView

PRODUCER = "foi-disclosure"

TRAILER = frozenset({"/Size", "/Root", "/Info", "/ID"})
CATALOG = frozenset({"/Type", "/Pages", "/Lang", "/ViewerPreferences", "/MarkInfo", "/StructTreeRoot", "/Metadata"})
NODE = frozenset({"/Type", "/Kids", "/Count", "/Parent"})
PAGE = frozenset(["/Type", "/Parent", "/MediaBox", "/CropBox", "/Resources", "/Contents", "/StructParents", "/Tabs"])
RESOURCES = frozenset({"/XObject", "/Font"})
CONTENT = frozenset({"/Length", "/Filter"})
INFO = frozenset({"/Title", "/Producer"})

CODES: dict[str, str] = {
    key: code
    for code, keys in {
        "A00": "/Encrypt",
        "A03": "/Annots",
        "A06": "/ColorSpace /Pattern /Shading /ProcSet",
        "A11": "/Metadata /PieceInfo /SpiderInfo /LastModified /OutputIntents",
        "A12": "/AF /Collection /EmbeddedFiles",
        "A13": "/Prev /XRefStm",
        "A14": "/Rotate /UserUnit /BleedBox /TrimBox /ArtBox /BoxColorInfo",
        "A15": "/OCProperties /OC /Properties",
        "A16": "/Outlines /Dests /Names /PageLabels /Threads /B",
        "A18": "/Thumb",
        "A21": "/Group /SMask /Mask",
        "A23": "/ExtGState",
    }.items()
    for key in keys.split()
}
"""Which finding an entry raises that is not allowed; anything else is A17."""


def strangers(found: Any, allowed: frozenset[str], page: int | None) -> Iterator[Finding]:
    """One finding for each entry of a dictionary that is not allowed."""
    for key in sorted(set(found.keys()) - allowed):
        yield _finding(CODES.get(key, "A17"), page)


def _finding(code: str, page: int | None) -> Finding:
    return Finding(code, page, None, f"The file holds {FAULTS[code]}.")


@file_check("A17", "A11", "A12", "A13", "A15", "A16")
def has_only_known_entries(output: Output) -> Iterator[Finding]:
    """Trailer, catalog and page tree hold what a page needs; name trees are looked into to say what they carry."""
    yield from strangers(output.pdf.trailer, TRAILER, None)
    root = output.pdf.Root
    named: Any = root.get("/Names", {})
    carried = {key: code for key, code in (("/EmbeddedFiles", "A12"), ("/JavaScript", "A17")) if key in named}
    for code in sorted(set(carried.values())):
        yield _finding(code, None)
    allowed = CATALOG | ({"/Names"} if carried and not set(named.keys()) - set(carried) else set())
    yield from strangers(root, frozenset(allowed), None)
    preferences = root.get("/ViewerPreferences", pikepdf.Dictionary())
    yield from strangers(preferences, frozenset({"/DisplayDocTitle"}), None)
    nodes = [root.Pages]
    while nodes:
        node = nodes.pop()
        yield from strangers(node, NODE, None)
        nodes += [kid for kid in node.Kids if kid.get("/Type") == "/Pages"]


@file_check("A11")
def has_neutral_information(output: Output) -> Iterator[Finding]:
    """/Info holds a title and our name, no more."""
    info = output.pdf.trailer.get("/Info", pikepdf.Dictionary())
    if set(info.keys()) - INFO or str(info.get("/Producer", PRODUCER)) != PRODUCER:
        yield _finding("A11", None)


@page_check("A02", "A03", "A14", "A15", "A17", "A18", "A21", "A23")
def has_only_known_page_entries(view: PageView) -> Iterator[Finding]:
    """A page holds boxes, one content stream, one image and one font."""
    page = view.object
    allowed = PAGE
    if "/Annots" in page:
        allowed = PAGE | {"/Annots"}
        kinds = {str(note.get("/Subtype", "")) for note in page.Annots}
        codes = {"A02" if kind == "/Redact" else "A17" if kind == "/Widget" else "A03" for kind in kinds}
        for code in sorted(codes or {"A03"}):
            yield _finding(code, view.number)
    yield from strangers(page, allowed, view.number)
    resources = page.Resources
    yield from strangers(resources, RESOURCES, view.number)
    if not isinstance(page.Contents, pikepdf.Stream):
        yield _finding("A06", view.number)
    else:
        yield from strangers(page.Contents, CONTENT, view.number)
    kinds_drawn = [str(o.get("/Subtype", "")) for o in resources.get("/XObject", {}).values()]
    if kinds_drawn != ["/Image"]:
        yield _finding("A06", view.number)
    if len(resources.get("/Font", {})) > 1:
        yield _finding("A04", view.number)


@page_check("A14")
def shows_the_whole_image(view: PageView) -> Iterator[Finding]:
    """MediaBox = CropBox = the image at its resolution, drawn over exactly that."""
    known = view.transcript
    expected = [0.0, 0.0, known.width_px * 72 / known.dpi[0], known.height_px * 72 / known.dpi[1]]
    boxes = [[float(v) for v in view.object[key]] for key in ("/MediaBox", "/CropBox")]
    if any(abs(a - b) > 0.01 for box in boxes for a, b in zip(box, expected, strict=True)):
        yield _finding("A14", view.number)
        return
    for instruction in view.instructions:
        if str(instruction.operator) == "cm":
            placed = [float(v) for v in instruction.operands]
            if any(abs(a - b) > 0.01 for a, b in zip(placed, (expected[2], 0, 0, expected[3], 0, 0), strict=True)):
                yield _finding("A14", view.number)
    size = int(view.image.Width), int(view.image.Height)
    if size != (known.width_px, known.height_px):
        yield _finding("A14", view.number)


@file_check("A10")
def has_no_other_objects(output: Output) -> Iterator[Finding]:
    """Walk every object, referenced or not: all are reached from the catalog, and images are as many as pages."""
    reached: set[tuple[int, int]] = set()
    elsewhere: set[tuple[int, int]] = set()  # thumbnails and masks: other checks name them
    waiting: list[Any] = [output.pdf.trailer]
    while waiting:
        item = waiting.pop()
        if item.is_indirect:
            if item.objgen in reached:
                continue
            reached.add(item.objgen)
        if isinstance(item, pikepdf.Dictionary | pikepdf.Stream):
            elsewhere |= {item[key].objgen for key in ("/Thumb", "/SMask", "/Mask") if key in item}
            waiting += [child for child in item.values() if isinstance(child, pikepdf.Object)]
        elif isinstance(item, pikepdf.Array):
            waiting += [child for child in item if isinstance(child, pikepdf.Object)]
    every = {o.objgen for o in output.pdf.objects if not (isinstance(o, pikepdf.Object) and o._type_name == "null")}
    if every - reached:
        yield Finding("A10", None, None, "The file holds an object that no page uses.")
    images = {o.objgen for o in output.pdf.objects if isinstance(o, pikepdf.Stream) and o.get("/Subtype") == "/Image"}
    own = {o.objgen for page in output.pdf.pages for o in page.obj.Resources.get("/XObject", {}).values()}
    if (images & reached) - own - elsewhere or len(own) != len(output.pdf.pages):
        yield Finding("A10", None, None, "The file holds an image beside its pages' own.")

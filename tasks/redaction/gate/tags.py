"""The tags: what a screen reader goes by, and no place to say anything.

Rules kept here: the tree follows from the pages, entry by entry: a document of one section a page, a paragraph for each
piece of marked text, in the order and with the numbers of the content; the picture is an artifact, or, on a page
without text, a figure with one fixed sentence. No tag has words, names, identifiers or attributes of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from xml.sax.saxutils import escape

import pikepdf

from tasks.model import Finding
from tasks.redaction.gate.checks import FAULTS, file_check, page_check
from tasks.redaction.gate.output import Output, PageView, says

FIGURE = "Picture of the page. No text was read from it."

METADATA = (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>',
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">',
    '<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:pdf="http://ns.adobe.com/pdf/1.3/"',
    ' xmlns:pdfuaid="http://www.aiim.org/pdfua/ns/id/">',
    '<dc:title><rdf:Alt><rdf:li xml:lang="x-default">%s</rdf:li></rdf:Alt></dc:title>',
    "<dc:language><rdf:Bag><rdf:li>%s</rdf:li></rdf:Bag></dc:language>",
    "<pdf:Producer>foi-disclosure</pdf:Producer>",
    "<pdfuaid:part>1</pdfuaid:part>",
    "</rdf:Description></rdf:RDF></x:xmpmeta>",
    '<?xpacket end="r"?>',
)
"""What the XMP says, the title and the language left open."""


@file_check("A11")
def has_no_other_metadata(output: Output) -> Iterator[Finding]:
    """The XMP repeats title and language and claims PDF/UA-1, letter by letter."""
    root = output.pdf.Root
    stream: Any = root.Metadata
    title = str(output.pdf.trailer.Info.Title)
    wanted = "\n".join(METADATA) % (escape(title), str(root.Lang))
    if (
        set(stream.keys()) - {"/Length", "/Filter"} != {"/Type", "/Subtype"}
        or (stream.Type, stream.Subtype) != ("/Metadata", "/XML")
        or stream.read_bytes() != wanted.encode()
    ):
        yield Finding("A11", None, None, f"The file holds {FAULTS['A11']}.")


@file_check("A17")
def has_a_tree_of_its_pages(output: Output) -> Iterator[Finding]:
    """The root leads to one document, it to as many sections as there are pages, and the table back to their parts."""
    root = output.pdf.Root
    tree, pages = root.StructTreeRoot, len(output.pdf.pages)
    sections = list(tree.K.K)
    table = [entry for page, section in enumerate(sections) for entry in (page, [part.objgen for part in section.K])]
    found = [entry if isinstance(entry, int) else [part.objgen for part in entry] for entry in tree.ParentTree.Nums]
    if (
        not says(root.MarkInfo, Marked=True)
        or not says(tree, Type="/StructTreeRoot", K=tree.K, ParentTree=tree.ParentTree, ParentTreeNextKey=pages)
        or not says(tree.K, S="/Document", P=tree, K=tree.K.K)
        or not says(tree.ParentTree, Nums=tree.ParentTree.Nums)
        or len(sections) != pages
        or not all(part.is_indirect for part in (tree, tree.K, *sections))
        or found != table
    ):
        yield Finding("A17", None, None, "The file holds other tags than those of its pages.")


@page_check("A17")
def has_the_tags_of_its_content(view: PageView) -> Iterator[Finding]:
    """Each piece of marked content has one tag and each tag one piece; all that is shown is marked."""
    if any(str(i.operator) == "BDC" and str(i.operands[0]) == "/OC" for i in view.instructions):
        return  # a layer, said with the operators
    pieces = _pieces(view)
    texts = [tag for tag, shown in pieces if shown == {"Tj"}]
    pictures = [tag for tag, shown in pieces if shown == {"Do"}]
    whole = (
        len(texts) + len(pictures) == len(pieces)
        and texts == [f"/P {number}" for number in range(len(texts))]
        and pictures == ["/Artifact" if texts else "/Figure 0"]
    )
    if not whole or not _mirrors(view, len(texts)):
        yield Finding("A17", view.number, None, "The page holds other tags than those of its content.")


def _pieces(view: PageView) -> list[tuple[str, set[str]]]:
    """What is shown, by the tag and number of its marked content, "" for what is not marked.

    Raises:
        ValueError: pieces lie within one another, or end without having begun.
    """
    pieces: list[tuple[str, set[str]]] = []
    inside = False
    for instruction in view.instructions:
        operator = str(instruction.operator)
        if operator in ("BMC", "BDC"):
            if inside:
                raise ValueError("marked content within marked content")
            pieces.append((_tag(instruction.operands), set()))
            inside = True
        elif operator == "EMC":
            if not inside:
                raise ValueError("the end of marked content that has not begun")
            inside = False
        elif operator in ("Tj", "Do"):
            if not inside:
                pieces.append(("", set()))
            pieces[-1][1].add(operator)
    if inside:
        raise ValueError("marked content without an end")
    return pieces


def _tag(operands: Any) -> str:
    """`/P 3`; with any other entry than its number, what is no tag of ours."""
    name, *properties = operands
    if not properties:
        return str(name)
    (entries,) = properties
    known = isinstance(entries, pikepdf.Dictionary) and set(entries.keys()) == {"/MCID"}
    return f"{name} {int(entries.MCID)}" if known else "with other entries"


def _mirrors(view: PageView, paragraphs: int) -> bool:
    """Whether the page's section has exactly its content's paragraphs, or its figure."""
    document = view.output.pdf.Root.StructTreeRoot.K
    section, page = document.K[view.number], view.object
    kind: dict[str, Any] = {"S": "/P"}
    if not paragraphs:
        (figure,) = section.K
        kind = {"S": "/Figure", "Alt": FIGURE, "A": figure.A}
    return (
        (page.Tabs, page.StructParents) == ("/S", view.number)
        and says(section, S="/Sect", P=document, K=section.K)
        and len(section.K) == max(1, paragraphs)
        and all(part.is_indirect for part in section.K)
        and all(says(part, **kind, P=section, Pg=page, K=number) for number, part in enumerate(section.K))
        and ("A" not in kind or says(kind["A"], O="/Layout", Placement="/Block", BBox=page.MediaBox))
    )

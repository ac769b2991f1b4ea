"""The tags of the letter's PDF: what PDF/UA-1 (ISO 14289-1) wants and WeasyPrint leaves out.

Rule kept here: what is shown and what is heard stay the same, but for the lines in the margins, which nobody needs to
hear on every page. Numbers in the docstrings are clauses of ISO 14289-1.
"""

from __future__ import annotations

import io
from typing import Any

import pikepdf


def complete_tags(pdf: bytes) -> bytes:
    """The same PDF with what PDF/UA-1 wants and WeasyPrint leaves out."""
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(pdf)) as document:
        for item in document.objects:
            if isinstance(item, pikepdf.Dictionary) and item.get("/S") == pikepdf.Name.TH:
                _give_scope(item)
            elif isinstance(item, pikepdf.Dictionary) and item.get("/Subtype") == pikepdf.Name.Link:
                item["/F"] = 4  # printed as well as shown: 7.18.1
        _leave_out_running_lines(document)
        document.save(out, deterministic_id=True, object_stream_mode=pikepdf.ObjectStreamMode.generate)
    return out.getvalue()


def _give_scope(header: Any) -> None:
    """Say of a table's header cell whether it heads a column or a row: 7.5."""
    row = header.get("/P", pikepdf.Dictionary())
    in_head = row.get("/P", pikepdf.Dictionary()).get("/S") == pikepdf.Name.THead
    scope = pikepdf.Name.Column if in_head else pikepdf.Name.Row
    header["/A"] = pikepdf.Dictionary(O=pikepdf.Name.Table, Scope=scope)


def _leave_out_running_lines(document: Any) -> None:
    """Make the lines in the margins artifacts: 7.8. The table of the pages' tags names theirs, the tree does not."""
    tree = document.Root.StructTreeRoot
    heard: set[tuple[int, int]] = set()
    waiting = list(tree.K)
    while waiting:
        item = waiting.pop()
        if isinstance(item, pikepdf.Dictionary) and item.objgen not in heard:
            heard.add(item.objgen)
            waiting.extend(item.get("/K", []))
    table = tree.ParentTree.Nums
    tags = {int(table[at]): table[at + 1] for at in range(0, len(table), 2)}
    pagination = pikepdf.Dictionary(Type=pikepdf.Name.Pagination)
    for page in document.pages:
        own = tags[int(page.obj.StructParents)]
        unheard = {number for number, tag in enumerate(own) if tag.objgen not in heard}
        instructions = []
        content: Any = pikepdf.parse_content_stream(page)
        for operands, operator in content:
            marked = operands[1].get("/MCID") if str(operator) == "BDC" else None
            running = marked is not None and int(marked) in unheard
            instructions.append(([pikepdf.Name.Artifact, pagination] if running else operands, operator))
        page.obj.Contents = document.make_stream(pikepdf.unparse_content_stream(instructions))
        for number in unheard:
            own[number] = None

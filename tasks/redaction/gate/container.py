"""The bytes themselves: every one of them is accounted for, by a reader of its own.

Rule kept here: a file is a header, the objects its one cross-reference table names, that table and a trailer; what lies
between or behind them, and what a reader passes over in silence, could be an earlier revision, an orphan or a message.
"""

from __future__ import annotations

import re
import zlib
from collections import Counter
from collections.abc import Iterator

import pikepdf

from tasks.model import Finding
from tasks.redaction.gate.checks import file_check
from tasks.redaction.gate.output import Output

HEADER = re.compile(rb"%PDF-1\.[0-9]\r?\n(?:%[\x80-\xff]{2,8}\r?\n)?(?:% *\r?\n)?\s*")
OBJECT = re.compile(rb"(\d+) (\d+) obj\b\s*")
STREAM_END = re.compile(rb"\r?\n?endstream\s+endobj\s*")
LENGTH = re.compile(rb"/Length\s+(\d+)(?!\s+\d+\s+R)")
LITERAL = re.compile(rb"\((?:\\.|[^\\()])*\)", re.DOTALL)
HEXED = re.compile(rb"(?<!<)<[0-9A-Fa-f\s]*>")
WORD = re.compile(rb"/?[^\s<>\[\](){}/%]+")
TABLE = re.compile(
    rb"xref\s+0 \d+\s+0000000000 65535 f ?\r?\n(?:\d{10} 00000 n ?\r?\n)*"
    rb"\s*trailer\s*<<(.*)>>\s*startxref\s+(\d+)\s+%%EOF\s*",
    re.DOTALL,
)
"""One section, no free entry but the first (a free entry's offset says anything), a trailer, the end."""


@file_check("A13")
def has_one_revision(output: Output) -> Iterator[Finding]:
    """One end mark, one cross-reference table, no /Prev: cutting the file earlier opens nothing."""
    data = output.data
    if (
        data.count(b"%%EOF") != 1
        or data.count(b"startxref") != 1
        or len(re.findall(rb"(?<!start)xref\s+\d", data)) != 1
        or "/Prev" in output.pdf.trailer
        or "/XRefStm" in output.pdf.trailer
    ):
        yield Finding("A13", None, None, "The file holds an earlier revision of itself.")


@file_check("A19")
def has_no_bytes_behind_its_end(output: Output) -> Iterator[Finding]:
    """Nothing follows the end mark."""
    if output.data[output.data.rfind(b"%%EOF") + 5 :].strip(b"\r\n"):
        yield Finding("A19", None, None, "Bytes follow the file's end.")


@file_check("A19")
def has_no_bytes_between_objects(output: Output) -> Iterator[Finding]:
    """Header, objects and table touch one another; streams are as long as they say; there are no comments."""
    data = output.data
    if output.data.count(b"startxref") != 1:
        return  # said by has_one_revision
    table = data.rfind(b"\nxref") + 1
    offsets = sorted(_offsets(data[table:]))
    header = HEADER.match(data)
    if header is None or not offsets or header.end() != offsets[0]:
        yield Finding("A19", None, None, "The file's header holds other bytes.")
        return
    for start, end in zip(offsets, [*offsets[1:], table], strict=True):
        if not _is_whole_object(data[start:end]):
            yield Finding("A19", None, None, "Bytes stand between two objects.")
            return


@file_check("A19")
def has_a_plain_table(output: Output) -> Iterator[Finding]:
    """The cross-reference table and the trailer hold what they must, without room for anything else."""
    data = output.data
    at = data.rfind(b"\nxref") + 1
    table = TABLE.fullmatch(data, at, data.rfind(b"%%EOF") + 5)
    if data.count(b"startxref") != 1:
        return  # said by has_one_revision
    if table is None or int(table[2]) != at or not _has_no_comment(table[1]):
        yield Finding("A19", None, None, "The cross-reference table holds other bytes.")
    elif Counter(_words(table[1])) != Counter(_words(output.pdf.trailer.unparse(resolved=True)[2:-2])):
        yield Finding("A19", None, None, "The trailer holds an entry that readers pass over.")


@file_check("A19")
def says_nothing_twice(output: Output) -> Iterator[Finding]:
    """An object's words are those a reader keeps: of an entry written twice, or of null, it passes over one."""
    if output.data.count(b"startxref") != 1:
        return  # said by has_one_revision
    for number, offset in enumerate(_offsets(output.data[output.data.rfind(b"\nxref") + 1 :]), 1):
        body = _head_of(output.data[offset : output.data.index(b"endobj", offset)])
        kept = output.pdf.get_object(number, 0)
        keeps = pikepdf.Dictionary(dict(kept.items())) if isinstance(kept, pikepdf.Stream) else kept
        if Counter(_words(body)) != Counter(_words(keeps.unparse(resolved=True))):
            yield Finding("A19", None, None, "An object holds an entry that readers pass over.")
            return


@file_check("A19")
def has_no_bytes_behind_a_stream(output: Output) -> Iterator[Finding]:
    """Deflated streams end where their data ends."""
    for item in output.pdf.objects:
        if isinstance(item, pikepdf.Stream) and item.get("/Filter") == "/FlateDecode" and "/Width" not in item:
            inflate = zlib.decompressobj()
            inflate.decompress(item.read_raw_bytes())
            if not inflate.eof or inflate.unused_data:
                yield Finding("A19", None, None, "Bytes follow the end of a stream's data.")


def _head_of(entry: bytes) -> bytes:
    """An object without its number and its stream."""
    head = OBJECT.match(entry)
    body = entry[head.end() :] if head else entry
    stream = re.search(rb">>\s*stream\r?\n", body)
    return body[: stream.start() + 2] if stream else body


def _words(body: bytes) -> list[bytes]:
    """Names, numbers, keywords, and how many strings; not the strings, which readers write in other ways."""
    while (shorter := LITERAL.sub(b" <> ", body)) != body:
        body = shorter
    body, strings = HEXED.subn(b" ", body)
    return [*WORD.findall(body), *[b"<>"] * strings]


def _offsets(table: bytes) -> list[int]:
    """The offsets of the objects in use, from a cross-reference table (ISO 32000-1, 7.5.4)."""
    rows = table[: table.index(b"trailer")]
    return [int(offset) for offset, state in re.findall(rb"(\d{10}) \d{5} ([nf])", rows) if state == b"n"]


def _is_whole_object(segment: bytes) -> bool:
    head = OBJECT.match(segment)
    if head is None:
        return False
    body = segment[head.end() :]
    at = re.search(rb">>\s*stream\r?\n", body)
    if at is None:
        return re.search(rb"\bendobj\s*\Z|[>\])]endobj\s*\Z", body) is not None and _has_no_comment(body)
    dictionary = body[: at.start()]
    length = LENGTH.search(dictionary)
    if length is None or not _has_no_comment(dictionary):
        return False
    return STREAM_END.fullmatch(body, at.end() + int(length[1])) is not None


def _has_no_comment(body: bytes) -> bool:
    """Whether no percent sign stands outside literal strings; nested parentheses are unfolded from inside."""
    while (shorter := LITERAL.sub(b"", body)) != body:
        body = shorter
    return b"%" not in body

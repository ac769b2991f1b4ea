"""Templates to HTML and PDF.

Rules kept here: a page asks for nothing from anywhere (its style and script are inside it, and its content security
policy allows exactly those by their digests); every value is escaped; a template that names a missing value fails.
The PDF is made of the same HTML, tagged (PDF/UA-1), and holds no date and no random identifier.
"""

from __future__ import annotations

import base64
import hashlib
import logging
import re
from functools import cache
from typing import Any, NoReturn

import jinja2
from markupsafe import Markup, escape

from tasks.disclosure.plain import DIRECTION
from tasks.disclosure.wording import file_size, long_date, plural

_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
_WITHHELD = re.compile(r"\[withheld[^\]\n]{0,80}\]")


def printable(value: object) -> object:
    """A string without what XML forbids and without characters that turn the direction of the text around them."""
    if isinstance(value, Markup) or not isinstance(value, str):
        return value
    return DIRECTION.sub("", _UNPRINTABLE.sub("", value.replace("\r\n", "\n").replace("\r", "\n")))


def unbroken(words: str) -> str:
    """Words that stay on one line: a date, a number and what it counts."""
    return words.replace(" ", "\u00a0")


def counted(count: int, one: str, many: str = "") -> str:
    """`plural`, with the number and the next word on one line."""
    return plural(count, one, many).replace(" ", "\u00a0", 1)


_NUMBERED = re.compile(r"(?<![\w.])(\d[\d,]*) (?=\w)")


def together(words: str) -> str:
    """Text in which `e-mail`, and a number and the word after it, do not break over lines."""
    return _NUMBERED.sub("\\1\u00a0", words).replace("e-mail", "e\u2011mail")


_REACHED = re.compile(r"https?://[^\s<>\"']*[^\s<>\"'.,;:!?)]|[\w.+-]+@[\w-]+(?:\.[\w-]+)+")


def linked(text: str) -> Markup:
    """Text with its web and mail addresses as links."""
    clean = str(printable(text))
    parts, start = [], 0
    for found in _REACHED.finditer(clean):
        address = found.group()
        href = address if "://" in address else f"mailto:{address}"
        parts += [escape(clean[start : found.start()])]
        parts += [Markup('<a href="{}" rel="noreferrer">{}</a>').format(href, address)]
        start = found.end()
    return Markup("").join([*parts, escape(clean[start:])])


def show_withheld(text: str) -> Markup:
    """Text as written, with every `[withheld: ...]` set apart."""
    clean = str(printable(text))
    parts, start = [], 0
    for found in _WITHHELD.finditer(clean):
        parts += [escape(clean[start : found.start()]), Markup('<span class="withheld">')]
        parts += [escape(found.group()), Markup("</span>")]
        start = found.end()
    return Markup("").join([*parts, escape(clean[start:])])


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("tasks.disclosure", "templates"),
        undefined=jinja2.StrictUndefined,
        autoescape=jinja2.select_autoescape(default=True, default_for_string=True, disabled_extensions=("txt",)),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=printable,
    )
    environment.filters.update(
        long_date=long_date,
        plural=plural,
        file_size=lambda size: unbroken(file_size(size)),
        day=lambda value: unbroken(long_date(value)),
        counted=counted,
        linked=linked,
        show_withheld=show_withheld,
        together=together,
    )
    return environment


@cache
def _inline(name: str) -> tuple[Markup, str]:
    """A style or script file of ours and its digest as a content security policy names it."""
    environment = _environment()
    assert environment.loader is not None  # noqa: S101 - set three lines above
    source, _, _ = environment.loader.get_source(environment, name)
    digest = base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()
    return Markup(source), f"'sha256-{digest}'"  # noqa: S704 - our own file, never outside data


def render_page(template: str, *, script: str = "", **values: Any) -> bytes:
    """One HTML page.

    Args:
        template: its file name below `templates/`.
        script: file name of a script of ours to put inside, if any.
        values: what the template names.

    Raises:
        jinja2.UndefinedError: the template names a value that is not given.
    """
    style, style_digest = _inline("style.css")
    policy = f"default-src 'none'; style-src {style_digest}; base-uri 'none'; form-action 'none'"
    code = Markup("")
    if script:
        code, script_digest = _inline(script)
        policy += f"; script-src {script_digest}"
    return (
        _environment().get_template(template).render(**values, style=style, script=code, csp=Markup(policy)).encode()  # noqa: S704
    )


def render_text(template: str, **values: Any) -> bytes:
    """A plain text or XML file; XML is escaped like HTML."""
    return _environment().get_template(template).render(**values).encode()


def _refuse(url: str, *_args: object, **_options: object) -> NoReturn:
    raise ValueError("pages are self-contained")


def render_pdf(html: bytes, base_url: str) -> bytes:
    """The PDF/UA-1 of a page of ours.

    Args:
        html: what `render_page` gave.
        base_url: what its relative links are relative to, once published.
    """
    # Here, because they load Pango and qpdf (0.4 s), which the rest of the room does without.
    import weasyprint

    from tasks.disclosure.tags import complete_tags

    # It warns of style that only browsers understand, and quotes links: titles of records have no place in a log.
    logging.getLogger("weasyprint").setLevel(logging.CRITICAL)
    identifier = hashlib.sha256(html).digest()[:16]
    document = weasyprint.HTML(string=html.decode(), base_url=base_url, url_fetcher=_refuse)
    pdf = document.write_pdf(pdf_variant="pdf/ua-1", pdf_identifier=identifier)
    return complete_tags(bytes(pdf))

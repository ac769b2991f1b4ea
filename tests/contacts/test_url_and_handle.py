import pytest

from tasks.contacts.recognisers import handle, url
from tests.contacts.claims import claimed

URL_HITS = [
    ("https://share.force.local/a/index. aspx? |\nid=2540 or", "https://share.force.local/a/index. aspx? |\nid=2540"),
    ("www force-standards example", "www force-standards example"),
    ("on sharepoint force local/standards or", "sharepoint force local/standards"),
    ("see https wwww.force.potice uk/vettng/lorms", "https wwww.force.potice uk/vettng/lorms"),
    ("HTIP I RANET CAPITAL LOCAL/dps", "HTIP I RANET CAPITAL LOCAL/dps"),
    ("HTTP://OURWEB.INTRA.POL ICEUK vetting/forms or", "HTTP://OURWEB.INTRA.POL ICEUK vetting/forms"),
    ("at https://www.force-tr.nhs.net/report:\nconcerns.", "https://www.force-tr.nhs.net/report:\nconcerns"),
    ("your entry at wtte//forcenet/people/directory or", "wtte//forcenet/people/directory"),
    ("standards force police uk", "standards force police uk"),
    (
        "https://share.force.local/sites/A/Shared%20Docs/816f0 1 8a7 1c67/For\nms/All.aspx?Root=%2Fsites&v=64\nNext",
        "https://share.force.local/sites/A/Shared%20Docs/816f0 1 8a7 1c67/For\nms/All.aspx?Root=%2Fsites&v=64",
    ),
    ("see https://www.example.org/a/b?c=d.", "https://www.example.org/a/b?c=d"),
    ("HTIP\tI\tRANET MUSTER LOCAL/dIS is", "HTIP\tI\tRANET MUSTER LOCAL/dIS"),
    ("HTTP://WESTNET/culture is", "HTTP://WESTNET/culture"),
    ("http://westnet/people/directory or", "http://westnet/people/directory"),
    ("www.force.police.uk/vetting now", "www.force.police.uk/vetting"),
    ("foi.force.police.uk or", "foi.force.police.uk"),
    ("sharepoint.force.local/standards or", "sharepoint.force.local/standards"),
    ("https: //force.example/x", "https: //force.example/x"),
    ("hitp://force.example/x", "hitp://force.example/x"),
    ("vvww.example.com", "vvww.example.com"),
    ("www.force-\nstandards.example or ring", "www.force-\nstandards.example"),
    ("https://share.local/sites\n/team/Shared%20Documents/", "https://share.local/sites\n/team/Shared%20Documents/"),
    ("http://force.example/sta\nndards or ring", "http://force.example/sta\nndards"),
    ("\\\\fileserver\\share\\team", "\\\\fileserver\\share\\team"),
]
URL_NEAR_MISSES = [
    "local/national policing on the local/regional level",
    "the hits were counted by police/fire crews",
    "in the UK/Ireland and by police forces",
    "see below: the portal was local/shared",
    "asked the police. UK forces agreed",
    "standards_6.4.61.docx",
    "report.pdf and notes.doc",
    "the end.The next sentence",
    "e.g. this, i.e. that",
    "version 9.4.37",
    "and/or 24/7",
    "s.31(1)(a)",
    "12.45 hrs",
]
HANDLE_HITS = [
    ("www.tacebook.com/SomePolice staff\nNext", "www.tacebook.com/SomePolice staff"),
    ("posted it on @Ch Rahman today", "@Ch Rahman"),
    ("on Teams at live:.cid. 48e1b47df25d.", "live:.cid. 48e1b47df25d"),
    ("Follow @Some_Handle and", "@Some_Handle"),
    ("Skype live:.cid.76f6d7264032", "live:.cid.76f6d7264032"),
    ("Teams: wei_jessop.deu", "wei_jessop.deu"),
    ("I am also on Teams at\nnadia_any.efs.", "nadia_any.efs"),
    ("sip:a.person@example.org", "sip:a.person@example.org"),
    ("facebook.com/some.page", "facebook.com/some.page"),
    ("instagram.com/some_page", "instagram.com/some_page"),
]
HANDLE_NEAR_MISSES = [
    "filed © ppPerson today",
    "21 @ £4.41",
    "Teams meeting at 10",
    "Signal Sqn",
    "live: the show",
    "@ 12",
]


@pytest.mark.parametrize(("text", "value"), URL_HITS)
def test_finds_the_whole_link(text: str, value: str) -> None:
    assert value in claimed(url.RECOGNISER, text)


@pytest.mark.parametrize("text", URL_NEAR_MISSES)
def test_leaves_what_is_no_link(text: str) -> None:
    assert claimed(url.RECOGNISER, text) == []


@pytest.mark.parametrize(("text", "value"), HANDLE_HITS)
def test_finds_the_whole_handle(text: str, value: str) -> None:
    assert value in claimed(handle.RECOGNISER, text)


@pytest.mark.parametrize("text", HANDLE_NEAR_MISSES)
def test_leaves_what_is_no_handle(text: str) -> None:
    assert claimed(handle.RECOGNISER, text) == []

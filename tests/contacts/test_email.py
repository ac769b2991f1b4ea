import pytest

from tasks.contacts.recognisers.email import RECOGNISER
from tests.contacts.claims import claimed

HITS = [
    ("Person Helen - PLT <helen.pers!.+.4 i force.police.uk>", "helen.pers!.+.4 i force.police.uk"),
    ("Contact desk Assessment@apital P\nnn.Police.Uk or", "Assessment@apital P\nnn.Police.Uk"),
    ("duty desk@force poly ok", "duty desk@force poly ok"),
    ("a.desk+two@Force Poi: e bk", "a.desk+two@Force Poi: e bk"),
    ("a.person@ourforce.examp\nle.\ndate stands at", "a.person@ourforce.examp\nle"),
    ("Contact any _| person@ourforce.example or", "any _| person@ourforce.example"),
    ("mail A.Person+Desk@Westbrook-\nIrNhs Net or", "A.Person+Desk@Westbrook-\nIrNhs Net"),
    ("E helen person(force-example.co.uk", "helen person(force-example.co.uk"),
    ("E any.person(Mforce-example.couk", "any.person(Mforce-example.couk"),
    ("E-mail d person-other@force pan potice uk", "d person-other@force pan potice uk"),
    ("19:05, Any Person <any pe q *. stmat potre uk wrote:", "any pe q *. stmat potre uk"),
    ("19:05, Any Person <any pe q. stmat potre uk> wrote:", "any pe q. stmat potre uk"),
    ("Contact Helen. Person@force.pnn.police.uk or", "Helen. Person@force.pnn.police.uk"),
    ("Contact PRESS. BUREAU@FORCE.POLICE.UK or", "PRESS. BUREAU@FORCE.POLICE.UK"),
    ("contact Helen.\n-Person@force.police.uk or", "Helen.\n-Person@force.police.uk"),
    ("contact desk--\nhelp@example.org or", "desk--\nhelp@example.org"),
    ("contact HQ,Support@force.police.uk or", "HQ,Support@force.police.uk"),
    ("contact a_person-\n“force.police.uk or", "a_person-\n“force.police.uk"),
    ("‘Any Person’ [mailto:a.person@example.org]", "a.person@example.org"),
    ("Write to a.person@force.police.uk today.", "a.person@force.police.uk"),
    ("j.smith3 1 @met.police.uk", "j.smith3 1 @met.police.uk"),
    ("j.smith22 @ met police.uk", "j.smith22 @ met police.uk"),
    ("J.SMITH@FORCE.PNN.POLICE.UK", "J.SMITH@FORCE.PNN.POLICE.UK"),
    ("mail o'neil+desk@example.org please", "o'neil+desk@example.org"),
    ("team-desk@ example.co.uk", "team-desk@ example.co.uk"),
    ("team-desk @example.com", "team-desk @example.com"),
    ("a.person@force. police. uk", "a.person@force. police. uk"),
    ("a.person@force,police,uk", "a.person@force,police,uk"),
    ("a.person@force.pollce.ulk", "a.person@force.pollce.ulk"),
    ("a.person©force.police.uk", "a.person©force.police.uk"),
    ("a.person®example.com", "a.person®example.com"),
    ("contact a.person@\nforce.police.uk.", "a.person@\nforce.police.uk"),
    ("contact a.person\n@force.police.uk.", "a.person\n@force.police.uk"),
    ("contact a.\nperson@force.police.uk.", "a.\nperson@force.police.uk"),
    ("write to DESK-\nTeam@example.org", "DESK-\nTeam@example.org"),
    ("a.person@force.pnn.police\n.uk or ring", "a.person@force.pnn.police\n.uk"),
    ("a.person@force.police.-\nuk or ring", "a.person@force.police.-\nuk"),
    ("a.person@force.gov.u\nk or ring", "a.person@force.gov.u\nk"),
    ("a.person@exam\nple.org or ring", "a.person@exam\nple.org"),
    ("name (at) domain dot uk", "name (at) domain dot uk"),
    ("a.person AT example DOT co DOT uk", "a.person AT example DOT co DOT uk"),
    ("a.person [at] example [dot] org", "a.person [at] example [dot] org"),
    ("a.person(at)example(dot)org", "a.person(at)example(dot)org"),
    ("a.person (a) force.police.uk", "a.person (a) force.police.uk"),
    ("a.person at example dot org", "a.person at example dot org"),
    ("a.person force.police.uk", "a.person force.police.uk"),
    ("oneill, patrick@example.org", "oneill, patrick@example.org"),
    ("STEPHEN PERSON@EXAMPLE.ORG", "STEPHEN PERSON@EXAMPLE.ORG"),
    ("any.person™hq.pnn police uk", "any.person™hq.pnn police uk"),
    ("/O=FORCE/OU=HQ/CN=RECIPIENTS/CN=APERSON", "/O=FORCE/OU=HQ/CN=RECIPIENTS/CN=APERSON"),
    ("C=GB;A=NET;P=FORCE;S=Person;G=Any", "C=GB;A=NET;P=FORCE;S=Person;G=Any"),
]

STAYS_BESIDE = [
    ("use any.person@example.org", "use"),
    ("notify ekhan@example.org", "notify"),
    ("ring at 16.05\nany.person@example.org", "16.05"),
    ("by e-mail\nany.person@example.org", "e-mail"),
    ("see example.org\nany.person@example.org", "example.org\n"),
]

NEAR_MISSES = [
    "Any Person <see the note of 3 May>",
    "the BBC (www.example.co.uk) said",
    "a sum <see the note below, which was not what Any Person wrote",
    "on @force and police of the UK",
    "21 @ £4.41 each",
    "91@2.50 were bought",
    "38 @ 23.39",
    "We met at the office on 3 May.",
    "The e-mail policy, version 2.4, applies.",
    "Follow @some_handle now",
    "see (a) and (b) of s.30",
    "Meet at Dot Cottage",
]


@pytest.mark.parametrize(("text", "value"), HITS)
def test_finds_the_whole_address(text: str, value: str) -> None:
    found = claimed(RECOGNISER, text)
    assert any(value in f for f in found), found
    assert all(len(f) <= len(value) + 4 for f in found), found


@pytest.mark.parametrize("text", NEAR_MISSES)
def test_leaves_what_is_no_address(text: str) -> None:
    assert claimed(RECOGNISER, text) == []


@pytest.mark.parametrize(("text", "neighbour"), STAYS_BESIDE)
def test_the_word_before_an_address_stays(text: str, neighbour: str) -> None:
    (found,) = claimed(RECOGNISER, text)
    assert neighbour not in found

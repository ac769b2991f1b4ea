"""Who and what the sample speaks of; everything here is invented.

Rule kept here: numbers come only from the ranges Ofcom keeps for drama (01632 960, 020 7946 0, 07700 900, 0808 157 0),
domains end in the reserved `.example` (RFC 2606), and postcodes lie in areas that do not exist.
"""

from __future__ import annotations

from dataclasses import dataclass

FORCE = "Eastmere Constabulary"
DOMAIN = "eastmere.police.example"
INTRANET = "beacon.eastmere.police.example"
CAMPAIGN = "Notice it. Name it."
UNIT = "Professional Standards Department"

CONFIDENTIAL_LINE = "0808 157 0642"
TEAM_TELEPHONE = "01632 960 418"
TEAM_EXTENSION = "74418"
TEAM_MAILBOX = f"noticeit.nameit@{DOMAIN}"
SWITCHBOARD = "01632 960 100"
CRIMESTOPPERS = "0800 555 111"


@dataclass(frozen=True, slots=True)
class Person:
    """A member of the force and how to reach them; `number` makes every contact of theirs their own."""

    name: str
    role: str
    number: int

    @property
    def telephone(self) -> str:
        """Direct dial."""
        return f"01632 960 {self.number}"

    @property
    def extension(self) -> str:
        """Internal number, five digits."""
        return f"74{self.number}"

    @property
    def mobile(self) -> str:
        """Work mobile."""
        return f"07700 900{(self.number * 7) % 1000:03d}"

    @property
    def email(self) -> str:
        """Mailbox in the force's domain."""
        return f"{self.name.lower().replace(' ', '.')}@{DOMAIN}"


FARROW = Person("Ottoline Farrow", "Chief Inspector, Standards", 412)
QUILLBY = Person("Desmond Quillby", "Campaign Manager", 437)
MARSH = Person("Perpetua Marsh", "Internal Communications", 451)
TALLENTIRE = Person("Rufus Tallentire", "Inspector, Prevention", 463)
OKONJO = Person("Ambrose Okonjo", "Design and Print", 476)
WETHERBY = Person("Lavinia Wetherby", "Estates Officer", 489)

STAFF = (
    FARROW,
    QUILLBY,
    MARSH,
    TALLENTIRE,
    OKONJO,
    WETHERBY,
    *(
        Person(name, role, 501 + 7 * index)
        for index, (name, role) in enumerate(
            (
                ("Hester Ainscough", "Intelligence Analyst"),
                ("Barnaby Coldwell", "Detective Sergeant"),
                ("Iolanthe Drury", "Case Manager"),
                ("Cuthbert Eames", "Vetting Officer"),
                ("Zelda Fothergill", "Vetting Officer"),
                ("Lucian Garside", "Detective Constable"),
                ("Maud Hathersage", "Complaints Handler"),
                ("Peregrine Iveson", "Complaints Handler"),
                ("Nadia Jellicoe", "Misconduct Hearings"),
                ("Tobias Kettlewell", "Detective Constable"),
                ("Winifred Lascelles", "Staff Officer"),
                ("Osric Mandeville", "Data Protection"),
                ("Roshni Nethercott", "Training Lead"),
                ("Fergus Oldroyd", "Trainer"),
                ("Delphine Pargeter", "Trainer"),
                ("Hamish Quarmby", "Station Manager, North"),
                ("Beatrix Ravenscar", "Station Manager, South"),
                ("Leopold Sedgwick", "Custody Liaison"),
                ("Imogen Thackray", "Control Room Liaison"),
                ("Jasper Umfreville", "Federation Liaison"),
                ("Clementine Vance", "Staff Association"),
                ("Gideon Wolsey", "Exhibits Officer"),
                ("Rosalind Yardley", "Finance Partner"),
                ("Ignatius Zeal", "Procurement"),
                ("Coralie Birtwhistle", "Reception, Fenland House"),
                ("Dorian Clegg", "Post Room"),
                ("Estella Dunnock", "Audio-Visual"),
                ("Florian Eckersley", "Web Editor"),
                ("Gwendolen Firth", "Wellbeing Adviser"),
                ("Horatio Grice", "Detective Inspector"),
                ("Isadora Hebden", "Researcher"),
                ("Jocelyn Ibbotson", "Vehicle Fleet"),
            )
        )
    ),
)


def withheld(value: str) -> str:
    """The value marked as a contact detail (see `infra.demo.sheet`)."""
    return f"‹{value}›"


def public(value: str) -> str:
    """The value marked as a public contact."""
    return f"«{value}»"

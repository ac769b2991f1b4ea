"""Who and what the records speak of, made up from a seed.

Rule kept here: numbers come only from Ofcom's drama ranges and from 555-0100 to 555-0199, domains are reserved ones
(RFC 2606, RFC 6761), postcodes lie in areas that do not exist.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from tests.corpus.marked import BREAK, keep, public, withhold

FIRST = (
    "Anwen",
    "Bertram",
    "Cosima",
    "Dougal",
    "Elspeth",
    "Fergus",
    "Gwilym",
    "Hestia",
    "Idris",
    "Jemima",
    "Kester",
    "Leocadia",
    "Mungo",
    "Nerys",
    "Orla",
    "Peregrine",
    "Quentin",
    "Rhona",
    "Seren",
    "Tobias",
    "Ursula",
    "Vaughan",
    "Winifred",
    "Xanthe",
    "Yolanda",
    "Zebedee",
)
LAST = (
    "Ashgrove",
    "Birtwhistle",
    "Coldharbour",
    "Dunnock",
    "Entwhistle",
    "Fothergill",
    "Garside",
    "Hollingbery",
    "Inkpen",
    "Jellicoe",
    "Kittering",
    "Lanyon",
    "Mossop",
    "Nettlefold",
    "Oldacre",
    "Penhaligon",
    "Quarmby",
    "Rookhope",
    "Skelhorn",
    "Thackray",
    "Underwood-Lee",
    "Vellacott",
    "Wigglesworth",
    "Yaxley",
)
TOWNS = ("Netherby", "Stourley", "Cawlbridge", "Llanfechan", "Port Brannock", "Upper Tarn", "Wexcombe", "Dunmere")
STREETS = (
    "Foundry Lane",
    "Priory Walk",
    "Tithebarn Street",
    "Canal Side",
    "Gasworks Road",
    "Chapel Rise",
    "Old Mill Close",
    "Viaduct Terrace",
)
HOUSES = ("Guildhall", "Wharf House", "Meridian Court", "Tannery Buildings", "Exchange Chambers", "Civic Offices")
MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
BODIES = (
    ("Stourley Borough Council", "stourley-council.example", "stourleynet"),
    ("Cawlbridge Hospitals Trust", "cawlbridge-hospitals.example.org", "wardhub"),
    ("Netherby Fire and Rescue", "netherbyfire.example", "muster"),
    ("Dunmere Harbour Board", "dunmereharbour.test", "quayside"),
    ("Wexcombe Valley Constabulary", "wexcombe.police.example", "beatnet"),
    ("Upper Tarn College", "uppertarn.ac.example", "commonroom"),
)
JOBS = (
    "Parking Services Manager",
    "Ward Clerk",
    "Watch Manager",
    "Duty Inspector",
    "Registrar",
    "Estates Surveyor",
    "Payroll Officer",
    "Licensing Officer",
    "Night Porter",
    "Highways Inspector",
    "Custody Sergeant",
    "Records Officer",
)
UNITS = (
    "Licensing",
    "Payroll",
    "Highways",
    "Estates",
    "Fleet",
    "Custody",
    "Post Room",
    "Registry",
    "Radiology",
    "Control Room",
    "Catering",
    "Legal",
)
AREAS = (
    ("020", "7946 0"),
    ("0113", "496 0"),
    ("0114", "496 0"),
    ("0115", "496 0"),
    ("0117", "496 0"),
    ("0118", "496 0"),
    ("0121", "496 0"),
    ("0131", "496 0"),
    ("0141", "496 0"),
    ("0151", "496 0"),
    ("0161", "496 0"),
)


@dataclass(frozen=True, slots=True)
class Person:
    """One of the invented people."""

    first: str
    last: str
    job: str

    @property
    def name(self) -> str:
        """As it is printed."""
        return f"{self.first} {self.last}"


class Cast:
    """The chance behind one record; every value comes marked."""

    def __init__(self, seed: int | str) -> None:
        self.random = Random(seed)
        self.body, self.domain, self.intranet = self.random.choice(BODIES)
        self.town = self.random.choice(TOWNS)

    def pick(self, *options: str) -> str:
        """One of the options."""
        return self.random.choice(options)

    def digits(self, count: int) -> str:
        """Digits, the first of them not 0."""
        return str(self.random.randrange(1, 10)) + "".join(self.random.choices("0123456789", k=count - 1))

    def person(self) -> Person:
        """Somebody."""
        return Person(self.pick(*FIRST), self.pick(*LAST), self.pick(*JOBS))

    # ------------------------------------------------------------------------------------------ numbers

    def phone(self, kind: str = "PHONE", style: str = "") -> str:
        """A landline number, in one of many ways of writing."""
        tail = f"{self.random.randrange(1000):03d}"
        if self.random.random() < 0.3:
            area, local = "01632", f"960{tail}"
            local = self.pick(local, f"960 {tail}", f"960-{tail}")
        else:
            area, start = self.random.choice(AREAS)
            local = self.pick(
                f"{start}{tail}",
                f"{start}{tail}",
                f"{start}{tail}".replace(" ", ""),
                f"{start}{tail}".replace(" ", "-"),
            )
        bare = area[1:]
        written = {
            "spaced": f"{area} {local}",
            "brackets": f"({area}) {local}",
            "hyphen": f"{area}-{local.replace(' ', '-')}",
            "dots": f"{area}.{local.replace(' ', '.').replace('-', '.')}",
            "slash": f"{area}/{local}",
            "run": f"{area}{local.replace(' ', '').replace('-', '')}",
            "plus": f"+44 {bare} {local}",
            "plus-zero": f"+44 (0){bare} {local}",
            "plus-run": f"+44{bare}{local.replace(' ', '').replace('-', '')}",
            "double-zero": f"0044 {bare} {local}",
        }
        style = style or self.random.choices(list(written), (6, 3, 2, 1, 1, 3, 2, 2, 1, 1))[0]
        return withhold(kind, style, written[style])

    def mobile(self) -> str:
        """A mobile number."""
        tail = f"{self.random.randrange(1000):03d}"
        written = (
            f"07700 900{tail}",
            f"07700 900 {tail}",
            f"07700900{tail}",
            f"07700-900-{tail}",
            f"+44 7700 900{tail}",
            f"+44 (0)7700 900{tail}",
            f"077 0090 0{tail}",
        )
        return withhold("PHONE", "mobile", self.random.choices(written, (6, 4, 3, 1, 2, 1, 1))[0])

    def freephone(self) -> str:
        """A number that costs the caller nothing."""
        tail = f"{self.random.randrange(1000):03d}"
        return withhold(
            "PHONE",
            "freephone",
            self.pick(f"0808 157 0{tail}", f"0808 1570{tail}", f"03069 990{tail}", f"03069 990 {tail}"),
        )

    def american(self) -> str:
        """A number of the United States."""
        area, tail = self.random.randrange(201, 989), self.random.randrange(100, 200)
        return withhold(
            "PHONE",
            "american",
            self.pick(f"({area}) 555-0{tail}", f"{area}-555-0{tail}", f"+1 {area} 555 0{tail}", f"{area}.555.0{tail}"),
        )

    def any_phone(self) -> str:
        """Any of the above, landlines most often."""
        return self.random.choices((self.phone, self.mobile, self.freephone), (6, 4, 1))[0]()

    def fax(self) -> str:
        """A fax number."""
        return self.phone("FAX")

    def pager(self) -> str:
        """A pager's number."""
        return withhold("PAGER", "", self.pick(f"0{self.digits(5)}"[:5], self.digits(4), self.digits(6)))

    def extension(self, length: int = 0) -> str:
        """A short internal number."""
        digits = self.digits(length or self.random.choice((4, 4, 5, 5, 6)))
        return withhold(
            "EXTENSION", "", digits if length or self.random.random() < 0.85 else f"{digits[0]}-{digits[1:5]}"
        )

    def radio(self) -> str:
        """A radio's individual number."""
        return withhold("RADIO", "", self.pick(self.digits(7), f"{self.digits(3)} {self.digits(4)}", self.digits(8)))

    # ------------------------------------------------------------------------------------------ names on networks

    def email(self, person: Person | None = None, form: str = "") -> str:
        """An e-mail address: of a person, or of a role when nobody is given."""
        if person:
            first, last = person.first.lower(), person.last.lower()
            local = self.pick(
                f"{first}.{last}",
                f"{first[0]}.{last}",
                f"{last}{first[0]}",
                f"{first}_{last}",
                f"{first}.{last}{self.random.randrange(2, 99)}",
            )
        else:
            local = self.pick(
                *(u.lower().replace(" ", self.pick(".", "-", "")) for u in UNITS),
                "enquiries",
                "duty.desk",
                "no-reply-rota",
            )
        domain = self.random.choices((self.domain, f"mail.{self.domain}", "example.com", "example.org"), (8, 1, 1, 1))[
            0
        ]
        form = form or ("person" if person else "role")
        if form == "obfuscated":
            dot = self.pick(" dot ", " [dot] ", ".")
            return withhold(
                "EMAIL", form, f"{local}{self.pick(' (at) ', ' [at] ', '(at)', ' at ')}{domain.replace('.', dot)}"
            )
        if form == "spaced":
            return withhold("EMAIL", form, f"{local} @ {domain}")
        if form == "broken":
            cut = "-" if "-" in domain else "."
            return withhold(
                "EMAIL",
                form,
                self.pick(
                    f"{local}\n@{domain}",
                    f"{local}@\n{domain}",
                    f"{local}@{domain.replace(cut, cut + chr(10), 1)}",
                ),
            )
        return withhold(
            "EMAIL",
            form,
            f"{local}{BREAK}@{domain.replace('.', '.' + BREAK)}" if form == "breakable" else f"{local}@{domain}",
        )

    def url(self) -> str:
        """A place on the web or on the intranet."""
        page = self.pick("rota", "forms/leave", "parking/permits", "staff/directory", "news/2024/03", "wiki/on-call")
        written = (
            f"www.{self.domain}/{page}",
            f"https://{self.intranet}.{self.domain}/{page}",
            f"http://{self.intranet}/{page}",
            f"{self.domain}/{page}",
            f"https://portal.{self.domain}/{page}?id={self.digits(4)}",
        )
        return withhold("URL", "path", self.random.choice(written))

    def handle(self) -> str:
        """A name on a network of people."""
        person = self.person()
        name = person.last.split("-")[0]
        return withhold(
            "HANDLE",
            "",
            self.pick(
                f"@{name}{self.random.randrange(10, 99)}",
                f"@{self.town.replace(' ', '')}{self.pick('Help', '_Desk', 'Watch')}",
                f"@{person.first.lower()}_{name.lower()}",
            ),
        )

    # ------------------------------------------------------------------------------------------ places

    def postcode_text(self) -> str:
        """A postcode in an area that does not exist."""
        area, district, sector = self.pick("ZZ", "XX", "QQ"), self.random.randrange(1, 20), self.random.randrange(1, 10)
        return f"{area}{district} {sector}{self.pick(*'ABDEFGHJLNPQRSTUWXYZ')}{self.pick(*'ABDEFGHJLNPQRSTUWXYZ')}"

    def postcode(self) -> str:
        """A postcode by itself."""
        return withhold("POSTCODE", "", self.postcode_text())

    def address(self, lines: bool = False) -> str:
        """A postal address, on one line or several."""
        parts = [
            self.pick(
                f"{self.random.randrange(1, 180)} {self.pick(*STREETS)}",
                f"{self.pick(*HOUSES)}, {self.pick(*STREETS)}",
                f"Flat {self.random.randrange(1, 30)}, {self.random.randrange(1, 99)} {self.pick(*STREETS)}",
            ),
            self.town,
        ]
        if self.random.random() < 0.3:
            parts.append(f"{self.pick('North', 'East', 'West')} Mereshire")
        if lines:
            return withhold("ADDRESS", "block", "\n".join([*parts, self.postcode_text()]))
        return withhold("ADDRESS", "one-line", ", ".join(parts) + self.pick(" ", ", ") + self.postcode_text())

    def po_box(self) -> str:
        """A PO Box with its postcode."""
        box, number = self.pick("PO Box", "P.O. Box", "PO BOX"), self.random.randrange(11, 9999)
        return withhold("ADDRESS", "po-box", f"{box} {number}, {self.town} {self.postcode_text()}")

    # ------------------------------------------------------------------------------------------ look-alikes

    def date(self) -> str:
        """A day."""
        day, month, year = self.random.randrange(1, 29), self.random.randrange(1, 13), self.random.randrange(2017, 2026)
        return keep(
            "DATE",
            self.pick(
                f"{day:02d}/{month:02d}/{year}",
                f"{day} {MONTHS[month - 1]} {year}",
                f"{day:02d}.{month:02d}.{year % 100:02d}",
                f"{year}-{month:02d}-{day:02d}",
                f"{day:02d}-{MONTHS[month - 1][:3]}-{year % 100:02d}",
            ),
        )

    def time(self) -> str:
        """A time of day."""
        hour, minute = self.random.randrange(24), self.random.randrange(60)
        return keep(
            "TIME", self.pick(f"{hour:02d}:{minute:02d}", f"{hour:02d}{minute:02d} hrs", f"{hour:02d}.{minute:02d}")
        )

    def money(self) -> str:
        """An amount."""
        pounds = self.random.randrange(12, 99000)
        return keep(
            "MONEY", self.pick(f"£{pounds:,}.{self.random.randrange(100):02d}", f"£{pounds:,}", f"GBP {pounds}.00")
        )

    def count(self) -> str:
        """A statistic."""
        return keep(
            "STAT",
            self.pick(
                f"{self.random.randrange(1000, 99999):,}",
                str(self.random.randrange(100, 9999)),
                f"{self.random.randrange(1, 99)}.{self.random.randrange(10)}%",
            ),
        )

    def reference(self) -> str:
        """A reference of a request, a case or an incident."""
        year = self.random.randrange(17, 26)
        return keep(
            "REFERENCE",
            self.pick(
                f"FOI {year}/{self.digits(4)}",
                f"FOI-20{year}-{self.digits(5)}",
                f"INC{self.digits(7)}",
                f"CR/{self.digits(6)}/{year}",
                f"IR{self.digits(5)}",
                f"URN {self.digits(2)}ST{self.digits(5)}{year}",
            ),
        )

    def statute(self) -> str:
        """A law."""
        return keep(
            "STATUTE",
            self.pick(
                "section 40(2) of the Act",
                "s.17(1) FOIA 2000",
                "regulation 12(5)(e)",
                "Schedule 2, paragraph 14",
                "Highways Act 1980 s.137",
            ),
        )

    def account(self) -> str:
        """A number of an account, an order or an invoice."""
        return keep(
            "ACCOUNT",
            self.pick(
                f"PO {self.digits(8)}",
                f"invoice {self.digits(7)}",
                f"account {self.digits(8)}",
                f"INV-{self.digits(4)}-{self.digits(3)}",
                f"cost code {self.digits(4)}/{self.digits(5)}",
            ),
        )

    def serial(self) -> str:
        """A serial number."""
        return keep(
            "SERIAL",
            self.pick(
                f"SN {self.digits(4)}-{self.digits(6)}",
                f"asset {self.digits(6)}",
                f"part no. {self.digits(3)}-{self.digits(4)}-{self.digits(2)}",
                f"meter {self.digits(9)}",
            ),
        )

    def plate(self) -> str:
        """A registration mark."""
        start, year = self.pick("QX", "QM", "QD"), self.random.randrange(51, 74)
        return keep("PLATE", f"{start}{year} {''.join(self.random.choices('ABDEFGHJKLMNOPRSTUVWXY', k=3))}")

    def version(self) -> str:
        """A number of a version."""
        return keep("VERSION", f"{self.random.randrange(1, 9)}.{self.random.randrange(20)}")

    def staff_number(self) -> str:
        """A number that a person wears or is paid under."""
        return keep(
            "STAFF",
            self.pick(
                f"PC {self.digits(4)}",
                f"collar no. {self.digits(4)}",
                f"payroll {self.digits(6)}",
                f"warrant {self.digits(6)}",
                f"badge {self.digits(5)}",
            ),
        )

    def isbn(self) -> str:
        """A book's number."""
        return keep("ISBN", f"ISBN 978 0 {self.digits(2)} {self.digits(6)} {self.random.randrange(10)}")

    def public_phone(self) -> str:
        """A number everybody knows."""
        return public("PHONE", self.pick("101", "999", "111", "0800 555 111", "0303 123 1113", "116 123"))

    # ------------------------------------------------------------------------------------------ prose

    def sentence(self) -> str:
        """A sentence without any contact detail, often with a look-alike."""
        return self.random.choice(SENTENCES)(self)

    def prose(self, sentences: int) -> str:
        """Several of them."""
        return " ".join(self.sentence() for _ in range(sentences))

    def inviting(self) -> str:
        """A sentence with a contact detail in it."""
        return self.random.choice(INVITATIONS)(self)


EXTENSION_LABELS = ("ext", "Ext.", "extn", "x", "int.", "extension")

SENTENCES = (
    lambda c: f"The working party met on {c.date()} and accepted the report without amendment.",
    lambda c: f"Repairs to the east stairwell were costed at {c.money()} and charged to {c.account()}.",
    lambda c: f"Of the {c.count()} forms returned, {c.count()} were complete.",
    lambda c: f"The barrier was raised at {c.time()} and lowered again at {c.time()}.",
    lambda c: f"Vehicle {c.plate()} was moved to bay {keep('SMALL', c.random.randrange(2, 90))} by the contractor.",
    lambda c: f"The matter is filed as {c.reference()} and has been closed.",
    lambda c: f"Members asked how {c.statute()} applies to drafts.",
    lambda c: f"The replacement pump, {c.serial()}, was fitted on {c.date()}.",
    lambda c: f"The handbook ({c.isbn()}) remains in force until further notice.",
    lambda c: "Nobody was hurt and no claim has been received from any visitor.",
    lambda c: "The caretaker keeps a second set of keys in the cupboard beside the boiler.",
    lambda c: "Volunteers should bring gloves, a torch and a copy of this sheet.",
    lambda c: f"Attendance fell to {c.count()} in the last quarter, which the panel thought seasonal.",
    lambda c: f"{c.person().name}, {c.staff_number()}, witnessed the handover.",
    lambda c: f"Version {c.version()} of the plan replaces all earlier ones.",
    lambda c: (
        f"Gritting of route {keep('SMALL', c.random.randrange(2, 60))} begins below {keep('SMALL', '2')} degrees."
    ),
    lambda c: f"Payment of {c.money()} was made against {c.account()} within {keep('SMALL', '30')} days.",
    lambda c: f"Anyone in doubt should ring {c.public_phone()} first.",
)

INVITATIONS = (
    lambda c: f"If that is not convenient please ring {c.any_phone()} before noon.",
    lambda c: f"Questions may be put to {c.email(c.person())} at any time.",
    lambda c: f"Copies are kept by {c.person().name} ({c.pick(*EXTENSION_LABELS)} {c.extension()}).",
    lambda c: f"The form can be found at {c.url()} under the usual heading.",
    lambda c: f"Letters go to {c.address()} and are opened daily.",
    lambda c: f"Out of hours text {c.mobile()} or page {c.pick('bleep', 'pager')} {c.pager()}.",
    lambda c: f"Write to {c.email(form='obfuscated')} to be taken off the list.",
    lambda c: f"A fax may be sent to {c.fax()} instead.",
    lambda c: f"Call {c.phone()} {c.pick('ext', 'x', 'ext.', 'extn')} {c.extension()} and ask for {c.person().name}.",
    lambda c: f"Follow {c.handle()} for closures, or ask on {c.email()}.",
    lambda c: f"The crew carries radio ISSI {c.radio()} and answers day and night.",
    lambda c: f"Replies by post: {c.po_box()}.",
    lambda c: f"Send the slip to {c.email(c.person(), 'breakable')} or leave it at the desk.",
    lambda c: f"Objections reach us at {c.email(form='broken')} until the end of the month.",
    lambda c: f"The old address {c.email(c.person(), 'spaced')} still works, as does {c.handle()}.",
    lambda c: f"He can be had on {c.phone()} or {c.mobile()}, she on {c.email(c.person())}.",
)

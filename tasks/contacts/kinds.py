"""Every kind's recogniser, in the order in which they win a place that several claim."""

from tasks.contacts.recogniser import Recogniser
from tasks.contacts.recognisers import address, email, extension, fax, handle, pager, phone, postcode, radio, url

RECOGNISERS: tuple[Recogniser, ...] = (
    email.RECOGNISER,
    url.RECOGNISER,
    handle.RECOGNISER,
    fax.RECOGNISER,
    pager.RECOGNISER,
    radio.RECOGNISER,
    extension.RECOGNISER,
    phone.RECOGNISER,
    address.RECOGNISER,
    postcode.RECOGNISER,
)
"""Strongest claim first: where two kinds claim one place, the earlier names it."""

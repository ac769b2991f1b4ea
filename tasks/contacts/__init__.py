"""Contacts: words to claims about contact details."""

"""Disclosure: redacted records to a signed, published bundle."""

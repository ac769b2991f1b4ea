"""Measurements, each one command, and the floors that `make test` holds a small seeded corpus to."""

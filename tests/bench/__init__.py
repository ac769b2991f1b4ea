"""Measurements, each one command; none is a test, because machines are noisy."""

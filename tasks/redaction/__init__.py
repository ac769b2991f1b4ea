"""Redaction: claims to marks, marks to a rebuilt file, the file to a verdict."""

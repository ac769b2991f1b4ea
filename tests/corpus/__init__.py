"""Scanned records with exact ground truth: drawn afresh from a seed, by templates of the tests' own.

    python -m tests.corpus.write DIR --seed N --records N

Everything on them is invented: numbers of Ofcom's drama ranges or 555-01xx, reserved domains, postcodes in areas that
do not exist. What is public (999, 101, ...) is real and must stay readable.
"""

"""What one recogniser claims in a text, as strings."""

from tasks.contacts.recogniser import Recogniser


def claimed(recogniser: Recogniser, text: str) -> list[str]:
    """The claimed strings, longest per place, in order of place."""
    spans = sorted({(c.start, c.end) for c in recogniser.claims(text)}, key=lambda s: (s[0], -s[1]))
    kept: list[tuple[int, int]] = []
    for start, end in spans:
        if not any(a <= start and end <= b for a, b in kept):
            kept = [k for k in kept if not (start <= k[0] and k[1] <= end)]
            kept.append((start, end))
    return [text[a:b].strip() for a, b in sorted(kept)]

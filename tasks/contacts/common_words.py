"""Words that go on with a sentence after a value at the end of a line.

Rule kept here: only words that no one would find at the start of a torn address; a piece such as `ndards` is none.
"""

# fmt: off
_WORDS = frozenset((
    "e-mail", "notify",
    "a", "about", "above", "according", "after", "again", "against", "all", "also", "although", "always", "am",
    "among", "an", "and", "any", "apart", "are", "around", "as", "asked", "asking", "at", "away", "back", "be",
    "because", "been", "before", "being", "below", "between", "both", "but", "by", "call", "called", "calling",
    "came", "can", "cannot", "come", "contact", "could", "did", "do", "does", "done", "down", "due", "during",
    "each", "either", "else", "email", "enter", "even", "every", "except", "few", "find", "first", "follow",
    "following", "for", "from", "further", "get", "give", "given", "go", "going", "had", "has", "have", "having",
    "he", "help", "her", "here", "him", "his", "how", "however", "i", "if", "in", "including", "inside", "instead",
    "into", "is", "it", "its", "itself", "just", "last", "later", "least", "less", "let", "like", "line", "links",
    "log", "made", "mail", "make", "many", "may", "me", "members", "might", "more", "most", "much", "must", "my",
    "need", "new", "next", "no", "nor", "not", "nothing", "now", "of", "off", "office", "officers", "on", "once",
    "one", "only", "open", "or", "other", "our", "out", "outside", "over", "own", "page", "per", "phone", "please",
    "previous", "provide", "quote", "quoted", "quoting", "rather", "read", "regarding", "report", "ring", "same",
    "see", "send", "sent", "she", "should", "showing", "since", "so", "some", "soon", "staff", "still", "such",
    "team", "telephone", "text", "than", "that", "the", "their", "them", "then", "there", "these", "they", "this",
    "those", "though", "through", "till", "to", "together", "too", "towards", "under", "unless", "until", "up",
    "upon", "us", "use", "used", "using", "very", "via", "visit", "was", "way", "we", "web", "website", "well",
    "went", "were", "what", "when", "where", "whether", "which", "while", "who", "whom", "whose", "why", "will",
    "with", "within", "without", "work", "would", "write", "you", "your",
))
# fmt: on


def is_common_word(token: str) -> bool:
    """Whether a token, its punctuation apart, is such a word."""
    return token.strip(".,;:!?()[]'\"").lower() in _WORDS

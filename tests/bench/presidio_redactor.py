"""Presidio's image redactor on pages, for `tests.bench.cost --beside`; run by the Python that has it installed.

    PYTHON presidio_redactor.py PAGES OUT     every image of the folder PAGES, into the folder OUT

It finds by patterns alone, and fetches nothing: with the language model that it usually takes it would take more.
"""

import sys
import tempfile
from pathlib import Path

import spacy
import tldextract.tldextract
from PIL import Image
from presidio_analyzer import AnalyzerEngine
from presidio_analyzer.nlp_engine import NlpEngineProvider
from presidio_image_redactor import ImageAnalyzerEngine, ImageRedactorEngine


def main() -> None:
    """Redact them."""
    pages, out = map(Path, sys.argv[1:])
    tldextract.tldextract.TLD_EXTRACTOR = tldextract.TLDExtract(suffix_list_urls=())
    with tempfile.TemporaryDirectory() as model:
        spacy.blank("en").to_disk(model)
        models = [{"lang_code": "en", "model_name": model}]
        engine = NlpEngineProvider(nlp_configuration={"nlp_engine_name": "spacy", "models": models}).create_engine()
    analyzer = ImageAnalyzerEngine(analyzer_engine=AnalyzerEngine(nlp_engine=engine))
    redactor = ImageRedactorEngine(image_analyzer_engine=analyzer)
    for page in sorted(pages.iterdir()):
        with Image.open(page) as image:
            redactor.redact(image, fill=(0,)).save(out / f"{page.stem}.png")


if __name__ == "__main__":
    main()

"""The OCR servers that came before this one, set up and measured beside it with the same networks.

They are PaddleServing's pipeline, PaddleHub Serving's `ocr_system` and PaddleX's basic serving. Two of them run code of
PaddleOCR's repository, so a checkout of it has to be at hand: python -m bench --retired CHECKOUT.
"""

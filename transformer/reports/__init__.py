"""Reports made from metrics: the tracer's file, the live view of `ppocr top`, and PaddleServing's metric names.

samples.py        the values of the metrics at an instant, read here or from a text
interval.py       what two of them say of the time between
text.py           that as text, in the form of PaddleServing's tracer
tracer.py         the file
pdserving.py      the counters of PaddleServing's pipeline
"""

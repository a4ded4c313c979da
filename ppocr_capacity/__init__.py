"""Searches how many images a second a service reads within a time: `ppocr capacity`."""

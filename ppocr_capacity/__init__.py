"""`ppocr capacity`: measures how many images per second a service reads within a time limit."""

"""Tests of transformer/reports."""

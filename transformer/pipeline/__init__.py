"""The way of a page: one file per stage. Each stage adds to what is known of a page.

    orient_page → detect → straighten → orient_lines → recognise → read_again → order

A request runs the stages that it asks for and whose networks its bundle has. plan.py has their order, stage.py says what a
stage is, page.py what it works on, and networks.py how it has a network run.
"""

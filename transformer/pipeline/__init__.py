"""The pipeline of a page: one file per stage. Each stage adds its results to the page.

    orient_page → detect → straighten → orient_lines → recognise → read_again → order

A request runs the stages that it asks for. plan.py has their order, stage.py defines a stage, page.py is the object that stages
work on, and networks.py runs the networks.
"""

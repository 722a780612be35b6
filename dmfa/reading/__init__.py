"""Filings read: found, opened safely, judged against their release, and taken apart into tables.

Import what is needed from the modules themselves: worker processes start faster for it.
"""

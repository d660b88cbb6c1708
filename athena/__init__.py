"""The lake itself: what a dataset is, and how a question becomes an answer.

Nothing here knows HTTP or how data came in. The read story is ``ask.py``; data meets its stages in this
order: grant, statement, entitlement, (pin) heads, fingerprint, flight, engine, page.
"""

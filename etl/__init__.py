"""How data comes in: a file that landed becomes rows that can be asked for, or a report that says why not.

The story is ``ingest.py``. A file meets its stages in this order: landing, source, dialect, study and transform (read,
infer, standardise), unit and reading (write), turn (the lease), planning (union), publish (commit, rejects, ledger,
event, head). ``convert.py`` takes one file the first half of the way; ``watch.py`` sees what landed; ``doctor.py``
sees whether all of it holds.
"""

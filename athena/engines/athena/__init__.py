"""Amazon Athena as the engine: it runs the SQL, we ask how it stands and read what it left in S3.

A job goes through: ``pin.py`` (every table at its snapshot, one row more than the limit), ``engine.py`` (start,
poll, stop; the port), ``reason.py`` (why a query failed, without its values).
"""

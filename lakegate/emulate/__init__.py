"""An AWS to try things on: moto's server with an Athena that runs, on one port of this machine.

``front.py`` lets one request in; ``service.py`` is Athena as its clients see it; ``execution.py`` runs one query
on the Iceberg tables of the Glue catalog; ``result.py`` writes what Athena would have written.
"""

from lakegate.emulate.server import Emulator

__all__ = ["Emulator"]

"""What our templates must hold, beyond what CloudFormation asks: rules over them as values, and the exceptions to them.

templates (`template.py`) → faults of `data.py`, `access.py`, `http.py`, `watch.py`, `shape.py` → less `exceptions.toml`
"""

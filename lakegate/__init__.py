"""Lakegate: CSV in, typed tables and a safe, exactly fresh SQL API out."""

__version__ = "0.1.0"

"""The whole interface on the wire against its own description."""

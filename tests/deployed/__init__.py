"""The real templates, deployed by our own command to an emulated AWS that checks signatures, policies and tokens."""

"""The host's end of the serial protocol (docs/SPEC.md, section 5)."""

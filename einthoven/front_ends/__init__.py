"""Front ends as the host sees them: which pins, drawn and generated from `board.toml`."""

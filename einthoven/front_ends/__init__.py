"""Front ends as the host sees them: how one is wired to a board."""

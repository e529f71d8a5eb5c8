"""How good the R-peak detector is, and how much each of its constants matters."""

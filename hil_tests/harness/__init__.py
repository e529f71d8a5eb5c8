"""Records through a board over a link: sent, answered, checked, kept."""

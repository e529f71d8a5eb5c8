"""The study that draws beats as pictures."""

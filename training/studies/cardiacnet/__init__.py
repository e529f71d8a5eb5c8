"""The study of one network per patient."""

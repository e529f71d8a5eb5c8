"""What a network learns from: the core's tensors of labelled beats, and how they are drawn."""

"""Data sets from the C core's tensors, models, fitting, quantization and evaluation."""

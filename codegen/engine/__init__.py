"""A .tflite file to the C of its inference: read, lowered, laid out, planned, emitted."""

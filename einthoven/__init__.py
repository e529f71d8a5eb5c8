"""Einthoven: host library of an ECG beat classifier for microcontrollers.

Not a medical device: a tool for engineering and research.
"""

__version__ = "0.2.0"

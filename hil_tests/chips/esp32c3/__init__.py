"""The ESP32-C3, started directly from its flash."""

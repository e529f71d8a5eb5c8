"""The last layers fitted to a patient: on the device's minutes, and judged on held-out patients."""

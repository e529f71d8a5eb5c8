"""What RP2040 and RP2350 have in common, at the addresses of either."""

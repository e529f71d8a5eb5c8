"""The gate before the network: fitted on a beat's features, held to what the network says."""

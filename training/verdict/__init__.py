"""The verdict on a strip: what it is fitted on, how, and what it is worth elsewhere."""

"""The verdict on a strip: what it is fitted on, how, and what it is worth on strips it has not seen."""

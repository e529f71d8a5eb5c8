"""What all pages share: one style, strips on millimetre paper, calipers, charts, the document."""

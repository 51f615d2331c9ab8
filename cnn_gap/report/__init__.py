"""Reports: what people and other programs get to see."""

"""Class activation maps, regions and the share of each lead."""

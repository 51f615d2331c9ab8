"""Reports of predictions and explanations: tables, pictures, pages and files for other programs."""

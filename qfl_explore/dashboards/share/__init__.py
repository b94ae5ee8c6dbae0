"""What a visitor takes along or gives to others: table, Python, link, cut-down exercise, notebook."""

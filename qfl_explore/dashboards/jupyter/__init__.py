"""Pages below a cell of a notebook."""

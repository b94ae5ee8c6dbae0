"""The page Polynomial."""

"""The page Gradient variance."""

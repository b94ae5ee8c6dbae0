"""The page Measurement bases."""

"""The page Circuit."""

"""What is taught with the app: presets, guided tours, a glossary and lessons, as data; no Panel in here.

The words are in ``data/*.toml``, so that a teacher can change them without touching code; `content` reads them,
`model` says what they consist of, `document` and `handout` turn them into pages to read and to print.
"""

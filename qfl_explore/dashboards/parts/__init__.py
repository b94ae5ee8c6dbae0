"""What pages are made of: widgets of the drawer, control bar, figures, text, compare, undo, sizes and colours."""

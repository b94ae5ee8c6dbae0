"""The app around the pages: header, tabs, address bar, connection, admission, tours; what runs before visitors come."""

"""The page that the operations team opens each morning, and the API beside it."""

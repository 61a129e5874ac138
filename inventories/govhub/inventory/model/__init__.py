"""The hub as pydantic models: one module a subject, :class:`~govhub.inventory.model.root.HubFile` on top."""

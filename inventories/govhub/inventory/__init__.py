"""The hub model: YAML with positions, pydantic models, expansion, checks, sizing, import and scaffold."""

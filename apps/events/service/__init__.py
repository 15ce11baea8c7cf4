"""The service beside events: made-up payments, papers, moderation. ``uvicorn --app-dir apps events.service.main:app``."""

"""A chat with channels: the functions of an application whose front end was written for Convex."""

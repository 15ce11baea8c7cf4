"""The application that the conformance kit of Convex clients expects."""

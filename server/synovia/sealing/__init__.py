"""Values sealed by keys: AES-256-GCM, bound to where they stand; and tokens by which equal values can be found."""

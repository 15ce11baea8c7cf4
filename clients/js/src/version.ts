/** That of package.json, and of all of Synovia; tests/documentation/test_one_version.py holds them together. */
export const VERSION = "0.1.0";

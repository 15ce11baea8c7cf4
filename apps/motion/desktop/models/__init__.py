"""What is shown, apart from how: live lists, people, drafts, files and samples on their way."""

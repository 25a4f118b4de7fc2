"""The torture messages of RFC 4475: standard test vectors, with what this stack does with each."""

IGNORECASE: int

class error(Exception): ...  # noqa: N801 - its name

class Pattern:
    groups: int

def compile(pattern: str, flags: int = ...) -> Pattern: ...
def sub(pattern: str, repl: str, string: str, *, flags: int = ..., timeout: float | None = ...) -> str: ...

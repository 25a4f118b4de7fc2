"""The pattern language: text with fields of a record in it, by which objects and mails are made (SVC-144…SVC-169)."""

from rostra.domain.patterns.language import Chance as Chance
from rostra.domain.patterns.language import Language as Language
from rostra.domain.patterns.language import Pattern as Pattern
from rostra.domain.patterns.limits import PatternProblem as PatternProblem
from rostra.domain.patterns.limits import Withheld as Withheld

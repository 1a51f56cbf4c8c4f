"""Go templates, as step types write them (``stepsTemplate``).

The syntax is that of Go's ``text/template``; of the functions, the built-in ones and the common ones
of gomplate and sprig that only look at their arguments. Time, chance, files and the environment
are out of reach, so a template gives the same text for the same arguments. Work and output are
limited. Source: `reference/pipeline-yaml.md` 9.3. The rooms: `parse` makes a tree, `render` walks
it, `values` knows how values print and compare, `functions` has the table of functions.
"""

from headrace.pipeline.templates.parse import Delimiters, parse
from headrace.pipeline.templates.render import render
from headrace.pipeline.templates.values import Reference, TemplateError

__all__ = ["Delimiters", "Reference", "TemplateError", "parse", "render"]

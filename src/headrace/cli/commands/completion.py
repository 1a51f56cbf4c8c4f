"""``codefresh completion``: the script that lets a shell complete commands, pipelines and builds."""

from __future__ import annotations

import os

import click

from headrace.cli.verbs import leaf

SHELLS = ("bash", "zsh", "fish")
SCRIPTS = {
    # What comes back is never read as shell text: a name may hold what a shell would carry out.
    "bash": """_{alias}_complete() {{
    local word
    COMPREPLY=()
    while IFS= read -r word; do
        COMPREPLY+=("$(printf '%q' "$word")")
    done < <({executable} __complete "${{COMP_WORDS[@]:1:COMP_CWORD}}" 2>/dev/null)
}}
complete -o default -F _{alias}_complete {alias}
""",
    "zsh": """#compdef {alias}
_{alias}_complete() {{
    local -a found
    found=(${{(f)"$({executable} __complete "${{(@)words[2,CURRENT]}}" 2>/dev/null)"}})
    (( ${{#found}} )) && compadd -a found || _files
}}
(( $+functions[compdef] )) || {{ autoload -Uz compinit && compinit; }}
compdef _{alias}_complete {alias}
""",
    "fish": """function __{alias}_complete
    set -l before (commandline -opc)
    {executable} __complete $before[2..-1] (commandline -ct) 2>/dev/null
end
complete -c {alias} -f -a '(__{alias}_complete)'
""",
}


@leaf("completion")
@click.argument("shell", required=False, type=click.Choice(SHELLS))
@click.option("-e", "--executable", default="codefresh", show_default=True, help="Command that completes.")
@click.option("-a", "--alias", default="codefresh", show_default=True, help="Command to be completed.")
@click.pass_context
def completion(context: click.Context, shell: str | None, executable: str, alias: str) -> None:
    """Print a completion script; load it with: source <(codefresh completion bash)."""
    app = context.obj
    chosen = shell or os.path.basename(app.environ.get("SHELL") or "bash")  # noqa: PTH119 — a name, not a file
    script = SCRIPTS.get(chosen, SCRIPTS["bash"])
    click.echo(script.format(alias=alias, executable=executable), nl=False)

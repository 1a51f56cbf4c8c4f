"""``type: git-clone`` as a command: a POSIX script that runs git in the volume.

Credentials travel in the environment only, and git asks for them by a helper that is bound to
the host: they are in no argument, no URL, no log and no ``.git/config``.
Source: `reference/pipeline-yaml.md` 3.3.
"""

import posixpath
from collections.abc import Mapping
from urllib.parse import SplitResult, unquote, urlsplit, urlunsplit

import msgspec

from headrace.execution.errors import StepRefused
from headrace.execution.ports import GitCredentials
from headrace.pipeline.external_resources import destination_path, source_path
from headrace.pipeline.plan import CloneRepository, CopyOut
from headrace.pipeline.variables import Scope, clone_directory, references, substitute
from headrace.runtimes.base import VOLUME, Command

_COPIED_FROM = ".headrace/resources"  # in the volume; clones that only live while a part is copied
RESULT_FOLDER = ".headrace/clones"  # in the volume; a clone leaves its commit there
DEFAULT_CONTEXT = "CF-default"  # always a legal name of the account's default
_PROTOCOLS = "http:https:file:ssh:git"
_SCHEMES = ("http", "https", "file", "ssh", "git")
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")
_HELPER = (
    '!f() { test "$1" = get || exit 0; '
    'printf \'username=%s\\npassword=%s\\n\' "$HR_USERNAME" "$HR_PASSWORD"; }; f'
)

SCRIPT = r"""
set -e
fail() {
  printf '%s\n' "$1" >&2
  exit 1
}
open_folder() {
  known=
  [ -z "$HR_AFRESH" ] || rm -rf -- "$HR_FOLDER"
  if [ -d "$HR_FOLDER/.git" ]; then
    known=yes
    cd -- "$HR_FOLDER"
    [ ! -e .git/index.lock ] ||
      fail "$HR_FOLDER/.git/index.lock exists: a git process works here, or died here; remove the file"
    git remote set-url origin "$HR_URL" 2>/dev/null || git remote add origin "$HR_URL"
    printf 'Updating %s from %s\n' "$HR_FOLDER" "$HR_URL"
  else
    mkdir -p -- "$HR_FOLDER"
    git init -q -- "$HR_FOLDER"
    cd -- "$HR_FOLDER"
    git remote add origin "$HR_URL"
    printf 'Cloning %s into %s\n' "$HR_URL" "$HR_FOLDER"
  fi
}
fetch() {
  git fetch -q --force ${HR_BLOBLESS:+--filter=blob:none} "$@"
}
fetch_all() {
  tags=--tags
  [ -z "$known" ] || [ -z "$HR_SKIP_TAGS" ] || tags=--no-tags
  whole=
  [ "$(git rev-parse --is-shallow-repository)" != true ] || whole=--unshallow
  if [ -n "$HR_REVISION" ]; then
    fetch --prune $tags $whole origin '+refs/heads/*:refs/remotes/origin/*'
  else
    fetch --prune $tags $whole origin '+refs/heads/*:refs/remotes/origin/*' '+HEAD:refs/headrace/default'
  fi
}
commit_of() {
  git rev-parse -q --verify "$1^{commit}"
}
find_commit() {
  if [ -z "$HR_REVISION" ]; then
    commit_of refs/headrace/default
    return
  fi
  commit_of "refs/remotes/origin/$HR_REVISION" && return
  commit_of "refs/tags/$HR_REVISION" && return
  case $HR_REVISION in
  *[!0-9a-fA-F]*) return 1 ;;
  esac
  commit_of "$HR_REVISION"
}
fetch_one() {
  fetch ${HR_DEPTH:+--depth "$HR_DEPTH"} origin "${HR_REVISION:-HEAD}" && commit=$(commit_of FETCH_HEAD)
}
choose_commit() {
  commit=
  if [ -n "$HR_DEPTH" ] && fetch_one 2>/dev/null; then
    return
  fi
  fetch_all
  commit=$(find_commit) || fetch_one || fail "no branch, tag or commit '$HR_REVISION' in $HR_URL"
}
check_out() {
  open_folder
  choose_commit
  [ -z "$known" ] || git clean -q -f -d
  git checkout -q -f --detach "$commit"
  git reset -q --hard
  commit=$(git rev-parse HEAD)
  mkdir -p -- "${HR_RESULT%/*}"
  printf '%s' "$commit" >"$HR_RESULT"
  git log -1 --format='HEAD is now at %h %s'
}
"""
CLONE = f"{SCRIPT}check_out\n"
COPY = (
    SCRIPT
    + r"""
HR_TO=$HR_PLACE.destination
refuse_links() {
  place=$HR_VOLUME
  rest=${1#"$HR_VOLUME"}
  rest=${rest#/}
  while [ -n "$rest" ]; do
    place=$place/${rest%%/*}
    [ ! -L "$place" ] ||
      fail "$HR_TO: $place is a symbolic link, which may lead out of the volume; name another, or drop it"
    case $rest in
    */*) rest=${rest#*/} ;;
    *) rest= ;;
    esac
  done
}
find_source() {
  root=$(pwd -P)
  [ -e "$HR_SOURCE" ] ||
    fail "$HR_PLACE.source: $HR_URL has no '$HR_SOURCE' at '$HR_REVISION'; name a path from its root"
  from=$(readlink -f -- "$HR_SOURCE")
  case $from/ in
  "$root"/*) ;;
  *) fail "$HR_PLACE.source: '$HR_SOURCE' leads out of the repository by a symbolic link; name another" ;;
  esac
  kind=file
  [ ! -d "$from" ] || kind=folder
  [ "${HR_KIND:-$kind}" = "$kind" ] ||
    fail "$HR_PLACE.isFolder: '$HR_SOURCE' of $HR_URL is a $kind, not a $HR_KIND; change isFolder"
}
copy_folder() {
  target=${HR_DESTINATION%/}
  [ ! -e "$target" ] || [ -d "$target" ] ||
    fail "$HR_TO: $target is a file, and a folder is to be copied there; name another"
  mkdir -p -- "$target"
  unlink='for one; do [ ! -L "$0/$one" ] || rm -f -- "$0/$one"; done'
  (cd -- "$from" && find . -mindepth 1 -exec sh -c "$unlink" "$target" {} +)
  cp -RPp -- "$from/." "$target/"
}
copy_file() {
  target=$HR_DESTINATION
  case $target in
  */) mkdir -p -- "$target" ;;
  esac
  [ ! -d "$target" ] || target=${target%/}/${HR_SOURCE##*/}
  refuse_links "$target"
  [ ! -d "$target" ] ||
    fail "$HR_TO: $target is a folder, and a file is to be copied there; name another"
  mkdir -p -- "${target%/*}"
  cp -p -- "$from" "$target"
}
copy_out() {
  refuse_links "$HR_FOLDER"
  refuse_links "${HR_DESTINATION%/}"
  check_out
  rm -rf -- .git
  find_source
  "copy_$kind"
  cd -- "$HR_VOLUME"
  rm -rf -- "$HR_FOLDER"
  printf "Copied %s '%s' of %s at %s to %s\n" "$kind" "$HR_SOURCE" "$HR_URL" "$commit" "$target"
}
copy_out
"""
)


class Clone(msgspec.Struct, frozen=True):
    """A clone, ready to start."""

    command: Command
    result: str  # path in the volume where the commit will be found
    members: Mapping[str, str]  # what is known before: ``repo``, ``workingDirectory``
    secrets: frozenset[str]


def git_context(action: CloneRepository, scope: Scope) -> str | None:
    """The git context that the step names; None is the account's default."""
    name = substitute(action.git, scope) if action.git else None
    return None if name == DEFAULT_CONTEXT else name


def is_url(repo: str) -> bool:
    """Tell whether a repository is given as a whole URL and not as ``owner/name``."""
    return urlsplit(repo).scheme in _SCHEMES or _is_scp_like(repo)


def plan_clone(
    action: CloneRepository,
    scope: Scope,
    login: GitCredentials | None,
    *,
    image: str,
    result: str,
    afresh: bool,
) -> Clone:
    """Make the command of a git-clone step.

    Args:
        action: as planned; its texts are filled in here.
        scope: what the texts may refer to.
        login: of the step's git context; None where there is none, which only whole URLs bear.
        image: that holds git.
        result: name below `RESULT_FOLDER`, unique in the build.
        afresh: drop what an interrupted attempt left in the folder.

    Raises:
        StepRefused: repository or revision cannot be.
    """
    repo = substitute(action.repo, scope).strip()
    if action.copy_out is not None:
        _check_host(action.copy_out, repo, login)
    url, login = _address(repo, login)
    if action.username is not None and action.password is not None:
        name, password = substitute(action.username, scope), substitute(action.password, scope)
        login = GitCredentials(origin_of(url), name, password)
    revision = substitute(action.revision, scope).strip() if action.revision else ""
    if revision.startswith("-"):
        raise StepRefused(f"revision {revision!r} starts with a dash; name a branch, a tag or a commit")
    copied = {} if action.copy_out is None else _copied(action.copy_out, scope)
    folder = posixpath.join(clone_directory(action.working_directory, scope) or VOLUME, _folder_name(repo))
    if copied:
        folder = f"{VOLUME}/{_COPIED_FROM}/{result}"
    file = f"{RESULT_FOLDER}/{result}"
    environment = {
        "HR_URL": url,
        "HR_FOLDER": folder,
        "HR_REVISION": revision,
        "HR_DEPTH": str(action.depth) if action.depth else "",
        "HR_BLOBLESS": "yes" if action.exclude_blobs else "",
        "HR_SKIP_TAGS": "yes" if action.skip_tags_on_update else "",
        "HR_AFRESH": "yes" if afresh or copied else "",
        "HR_RESULT": f"{VOLUME}/{file}",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ALLOW_PROTOCOL": _PROTOCOLS,
        **configuration(origin_of(url), login, redirects=not copied),
        **copied,
    }
    if action.use_proxy:
        environment |= {name: scope.variables[name] for name in _PROXIES if name in scope.variables}
    return Clone(
        command=Command(image=image, script=COPY if copied else CLONE, environment=environment),
        result=file,
        members={"repo": repo, "workingDirectory": folder},
        secrets=frozenset({login.password} if login and login.password else ()),
    )


def _check_host(wanted: CopyOut, repo: str, login: GitCredentials | None) -> None:
    """Refuse every host but that of the git context, which the account has said is its own."""
    place = f"{wanted.place}.repo"
    if is_url(repo):
        if login is None or origin_of(login.base_url) != origin_of(repo):
            raise StepRefused(
                f"{place}: {origin_of(repo)} is not the host of the git context; "
                "write owner/name, and the context of that host"
            )
        if "@" in urlsplit(repo).netloc:
            raise StepRefused(f"{place}: holds a login; give it by a git context")
    elif "/" not in repo or not {"", ".", ".."}.isdisjoint(repo.split("/")):
        raise StepRefused(f"{place}: {repo!r} is no repository; write owner/name")


def _copied(wanted: CopyOut, scope: Scope) -> dict[str, str]:
    """What the script of a copy is told; raises `StepRefused` for a path that leads elsewhere."""
    paths = {}
    for field, judge in (("source", source_path), ("destination", destination_path)):
        text = substitute(getattr(wanted, field), scope)
        if unknown := references(text):
            raise StepRefused(f"{wanted.place}.{field}: {unknown[0]} has no value; give the run one")
        try:
            paths[field] = judge(text)
        except ValueError as problem:
            raise StepRefused(f"{wanted.place}.{field}: {problem}; name a path without '..'") from None
    kinds = {None: "", True: "folder", False: "file"}
    return {
        "HR_VOLUME": VOLUME,
        "HR_PLACE": wanted.place,
        "HR_SOURCE": paths["source"],
        "HR_DESTINATION": paths["destination"],
        "HR_KIND": kinds[wanted.is_folder],
    }


def _address(repo: str, login: GitCredentials | None) -> tuple[str, GitCredentials | None]:
    """The URL without credentials, and the credentials that fit it."""
    if not is_url(repo):
        if login is None:
            raise StepRefused(
                f"repository {repo!r} needs a git context, and the account has no default one; "
                "create a git context, or give a whole URL"
            )
        return f"{login.base_url.rstrip('/')}/{repo.strip('/').removesuffix('.git')}.git", login
    parts = urlsplit(repo)
    if parts.scheme in ("http", "https") and parts.username is not None:
        url = urlunsplit(parts._replace(netloc=_host(parts)))
        return url, GitCredentials(origin_of(url), unquote(parts.username), unquote(parts.password or ""))
    fits = login is not None and origin_of(login.base_url) == origin_of(repo)
    return repo, login if fits else None


def _host(parts: SplitResult) -> str:
    return parts.netloc.rpartition("@")[2]


def origin_of(url: str) -> str:
    """Return scheme and host of a URL, ``https://github.com``, without a login."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{_host(parts).lower()}"


def _is_scp_like(repo: str) -> bool:
    """Tell ``git@host:owner/name`` from ``owner/name``."""
    host, colon, _ = repo.partition(":")
    return bool(colon) and "@" in host and "/" not in host


def _folder_name(repo: str) -> str:
    name = repo.rstrip("/").replace(":", "/").rpartition("/")[2].removesuffix(".git")
    if name in ("", ".", ".."):
        raise StepRefused(f"repository {repo!r} has no name; write 'owner/name' or a whole URL")
    return name


def configuration(origin: str, login: GitCredentials | None, *, redirects: bool = True) -> dict[str, str]:
    """Return git's own settings for one run, as environment, so that nothing is written anywhere.

    Args:
        origin: ``https://host:port``; the login is given to it alone.
        login: None for none.
        redirects: whether the host may send git to another.
    """
    entries = [("safe.directory", "*"), ("init.defaultBranch", "main"), ("credential.helper", "")]
    if not redirects:
        entries.append(("http.followRedirects", "false"))
    values = {}
    if login is not None and (login.username or login.password):
        entries.append((f"credential.{origin}.helper", _HELPER))
        values = {"HR_USERNAME": login.username, "HR_PASSWORD": login.password}
    values["GIT_CONFIG_COUNT"] = str(len(entries))
    for index, (key, value) in enumerate(entries):
        values |= {f"GIT_CONFIG_KEY_{index}": key, f"GIT_CONFIG_VALUE_{index}": value}
    return values

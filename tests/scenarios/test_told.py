"""What a step tells beside its log: its title, its link, why it failed; never a secret."""

from fakes import MemoryFeed, MemoryLogs, MemoryRecords, MemoryReports, MemorySecrets, MovedClock
from headrace.execution.run import run
from headrace.execution.settings import ExecutionSettings
from headrace.pipeline.compile import compile_plan
from headrace.runtimes.fake import FakeRuntime

SECRET = "hush-hush"


async def states_of(text, *, stored=None, records=None):
    clock = MovedClock()
    feed, secrets = MemoryFeed(clock), MemorySecrets(stored=stored)
    variables = {"WHO": "ada", "TOKEN": secrets.ref("TOKEN", SECRET)}
    record = feed.enqueue(compile_plan(text, variables=variables), variables)
    await run(
        await feed.claim(),
        runtime=FakeRuntime(clock),
        feed=feed,
        logs=MemoryLogs(),
        secrets=secrets,
        records=records or MemoryRecords(),
        reports=MemoryReports(),
        clock=clock,
        settings=ExecutionSettings(inactivity_s=0),
    )
    return record


async def test_a_title_is_filled_in_and_masked():
    record = await states_of(
        "{version: '1.0', steps: {a: {title: 'of ${{WHO}} ${{TOKEN}}', image: alpine, commands: ['true']}}}"
    )
    assert record.steps["a"].title == "of ada *****"


async def test_titles_of_groups_approvals_and_skipped_steps_are_filled_in():
    record = await states_of("""
version: '1.0'
steps:
  group:
    type: parallel
    title: group of ${{WHO}}
    steps: {a: {image: alpine, title: 'skipped ${{WHO}}', when: {branch: {only: [none]}}}}
  wrong: {image: alpine, title: 'wrong ${{WHO}}', fail_fast: false, when: {condition: {all: {a: '=='}}}}
  ask: {type: pending-approval, title: 'ask ${{WHO}}'}
""")
    titles = [record.steps[name].title for name in ("group", "a", "wrong", "ask")]
    assert titles == ["group of ada", "skipped ada", "wrong ada", "ask ada"]


async def test_a_manifest_and_a_composition_in_a_file_may_name_secrets_of_stores():
    records = MemoryRecords()
    record = await states_of(
        r"""
version: '1.0'
steps:
  write:
    image: alpine
    environment: ['D=$']
    commands:
    - echo "kind $D{{secrets.v.a}}" > app.yml
    - "echo \"services: {db: {image: alpine, environment: ['A=$D{{secrets.v.b}}']}}\" > two.yml"
  deploy: {type: deploy, kind: kubernetes, cluster: c, namespace: n, file_path: app.yml}
  composed:
    type: composition
    composition: two.yml
    composition_candidates: {db: {command: 'true'}}
""",
        stored={"v.a": "first-secret"},
        records=records,
    )
    assert [one.manifest.strip() for one in records.deployed] == ["kind first-secret"]
    assert "secret 'secrets.v.b' cannot be opened" in record.steps["composed"].reason


async def test_a_step_has_the_link_that_it_exported_in_its_name():
    record = await states_of("""
version: '1.0'
steps:
  a: {image: alpine, commands: ['cf_export a_CF_OUTPUT_URL=https://example.org/hush-hush']}
  b: {image: alpine, commands: ['cf_export b_CF_OUTPUT_URL=javascript:alert', 'cf_export a_CF_OUTPUT_URL=x']}
""")
    assert (record.steps["a"].link, record.steps["b"].link) == ("https://example.org/*****", "")


async def test_reasons_are_masked():
    record = await states_of(
        "{version: '1.0', steps: {a: {image: alpine, commands: [a], "
        "environment: ['FAKE_START_FAILS=no ${{TOKEN}}']}}}"
    )
    assert record.steps["a"].reason == "no *****"
    assert SECRET not in record.reason


async def test_a_hook_works_in_the_folder_of_a_step_of_the_pipeline():
    record = await states_of("""
version: '1.0'
steps:
  a: {image: alpine, commands: ['true'], working_directory: /codefresh/volume/here}
  b:
    image: alpine
    commands: ['true']
    hooks: {on_finish: {image: alpine, commands: [pwd], working_directory: '${{parentSteps.a}}/sub'}}
""")
    hook = record.steps["b#on_finish#exec"]
    assert hook.members["workingDirectory"] == "/codefresh/volume/here/sub"

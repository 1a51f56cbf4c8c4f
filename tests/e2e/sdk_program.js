// Touches every resource by the official SDK: create, list, get, update, delete. Fails at the first surprise.
const assert = require('node:assert');
const { Codefresh, Config } = require('codefresh-sdk');

const spec = { steps: { hello: { image: 'alpine', commands: ['echo hello'] } } };

async function main() {
    const sdk = new Codefresh(await Config.load({ url: process.env.CF_URL, apiKey: process.env.CF_API_KEY }));
    const user = await sdk.users.get();
    const named = (list, field, value) => list.filter((one) => one[field] === value);

    await sdk.projects.create({ projectName: 'sdk' });
    const project = await sdk.projects.getByName({ name: 'sdk' });
    await sdk.projects.patch({ id: project.id }, { tags: ['t'] });
    assert.deepEqual((await sdk.projects.get({ id: project.id })).tags, ['t']);
    assert.equal(named((await sdk.projects.list({})).projects, 'projectName', 'sdk').length, 1);

    const name = 'sdk/hello';
    await sdk.pipelines.create({}, { version: '1.0', kind: 'pipeline', metadata: { name }, spec });
    const pipeline = await sdk.pipelines.get({ name });
    pipeline.metadata.description = 'changed';
    await sdk.pipelines.replace({ name }, pipeline);
    assert.equal((await sdk.pipelines.get({ name })).metadata.description, 'changed');
    assert.equal((await sdk.pipelines.list({ limit: 1 })).docs.length, 1);

    const buildId = await sdk.pipelines.run({ name }, { variables: [{ key: 'A', value: '1' }] });
    assert.match(buildId, /^[0-9a-f]{24}$/);
    const build = await sdk.workflows.getBuild({ buildId, noAccount: false });
    assert.equal(build.pipelineName, name);
    assert.equal((await sdk.progress.get({ id: build.progress }))._id, build.progress);
    assert.equal((await sdk.workflows.list({ limit: 5 })).workflows.docs[0].id, buildId);
    await sdk.workflows.pushWorkflowData({ workflowId: buildId }, { covered: 75 });
    assert.equal((await sdk.workflows.getWorkflowData({ workflowId: buildId })).docs.length, 1);

    const metadata = { name: 'sdk-config' };
    await sdk.contexts.create({}, { metadata, spec: { type: 'config', data: { A: '1' } } });
    await sdk.contexts.replace(metadata, { metadata, spec: { type: 'config', data: { A: '2' } } });
    assert.deepEqual((await sdk.contexts.get(metadata)).spec.data, { A: '2' });
    assert.equal((await sdk.contexts.list({ type: 'config' })).length, 1);
    await sdk.contexts.delete(metadata);

    const key = await sdk.tokens.generate({ subjectType: 'user' }, { name: 'sdk', scopes: ['build:read'] });
    const id = key.split('.')[0];
    await sdk.tokens.patch({ id }, { name: 'renamed' });
    assert.equal((await sdk.tokens.getById({ id })).name, 'renamed');
    assert.equal(named(await sdk.tokens.list(), 'name', 'renamed').length, 1);
    await sdk.tokens.delete({ id });

    const note = { entityId: buildId, entityType: 'workflow', key: 'cov', value: '75%' };
    await sdk.annotations.create({}, note);
    const about = { entityId: buildId, entityType: 'workflow' };
    assert.equal((await sdk.annotations.list(about))[0].value, '75%');
    await sdk.annotations.delete({ ...about, key: 'cov' });
    assert.deepEqual(await sdk.annotations.list(about), []);

    const type = { version: '1.0', kind: 'step-type', metadata: { name: 'sdk/step', version: '1.0.0' } };
    await sdk.steps.create({}, { ...type, spec });
    assert.equal((await sdk.steps.get({ name: 'sdk/step' })).metadata.version, '1.0.0');
    assert.ok((await sdk.steps.list({})).docs.length > 0);
    await sdk.steps.delete({ name: 'sdk/step' });

    const yamlJson = '{"version": "3", "services": {"web": {"image": "nginx"}}}';
    const composed = await sdk.compositions.create({}, { name: 'sdk', vars: [], yamlJson });
    await sdk.compositions.update({ id: composed._id }, { name: 'sdk-2' });
    assert.equal((await sdk.compositions.get({ id: composed._id })).name, 'sdk-2');
    await sdk.compositions.delete({ id: composed._id });
    assert.deepEqual(await sdk.compositions.list(), []);

    const registry = { name: 'sdk', provider: 'other', domain: 'r.example.org', username: 'u', password: 'p' };
    await sdk.registries.create({}, registry);
    const [stored] = named(await sdk.registries.list(), 'name', 'sdk');
    await sdk.registries.delete({ id: stored._id });

    const agent = await sdk.agents.create({}, { name: 'sdk', runtimes: [] });
    await sdk.agents.update({ agentId: agent.id }, { name: 'sdk-2' });
    assert.equal((await sdk.agents.getByName({ name: 'sdk-2' })).id, agent.id);
    assert.equal((await sdk.agents.list({})).length, 1);
    await sdk.agents.delete({ agentId: agent.id });

    const team = await sdk.teams.create({}, { name: 'sdk', tags: [], users: [] });
    await sdk.teams.addUser({ teamId: team._id, userId: user._id });
    assert.equal((await sdk.teams.listByUser({ userId: user._id }))[0].name, 'sdk');
    await sdk.teams.removeUser({ teamId: team._id, userId: user._id });
    assert.deepEqual((await sdk.teams.list())[0].users, []);

    const board = await sdk.helm.boards.create({}, { name: 'sdk' });
    await sdk.helm.boards.patch({ id: board._id }, { name: 'sdk-2' });
    assert.equal((await sdk.helm.boards.getByName({ name: 'sdk-2' }))._id, board._id);
    const place = { boardId: board._id, name: 'main', section: 'prod' };
    const section = await sdk.helm.sections.create({}, place);
    assert.equal((await sdk.helm.sections.get({ id: section._id })).name, 'main');
    assert.equal((await sdk.helm.sections.list({ boardId: board._id })).length, 1);
    await sdk.helm.sections.delete({ id: section._id });
    await sdk.helm.boards.delete({ id: board._id });
    await sdk.helm.repos.create({}, { name: 'sdk', public: false });
    await sdk.helm.repos.update({ name: 'sdk' }, { public: true });
    assert.equal((await sdk.helm.repos.get({ name: 'sdk' })).Public, true);
    await sdk.helm.repos.delete({ name: 'sdk' });

    const values = { expression: '@weekly', message: 'hi' };
    const event = await sdk.triggers.events.create({ public: false }, { type: 'cron', kind: 'codefresh', values });
    await sdk.triggers.create({ event, pipeline: pipeline.metadata.id }, { filters: {} });
    assert.equal((await sdk.triggers.list()).length, 1);
    await sdk.triggers.delete({ event, pipeline: pipeline.metadata.id });
    assert.equal((await sdk.triggers.types.list()).length > 0, true);

    for (const list of [sdk.clusters, sdk.runtimeEnvs, sdk.repos, sdk.payments]) {
        assert.ok(Array.isArray(await list.list({})));
    }
    assert.ok(Array.isArray((await sdk.images.list({})).docs));
    await assert.rejects(sdk.payments.create({}, {}), /nothing costs anything here/);
    assert.ok((await sdk.version.getServerVersion()).version);

    await sdk.pipelines.delete({ name });
    await assert.rejects(sdk.pipelines.get({ name }), /not find/);
    await sdk.projects.delete({ id: project.id });
    console.log('every resource was touched');
}

main().catch((problem) => {
    console.error(problem);
    process.exit(1);
});

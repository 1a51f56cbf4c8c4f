/** What is done with the things of an account: contexts, keys, teams, runtime environments, sessions. */
import type { Schemas } from "../api";
import { type Action, action } from "../action";
import { flags, pairWord, quoted, words } from "../commands.svelte";
import type { Secret } from "../secret";

export const createContext = (name: string, type: string, data: Record<string, string | Secret>): Action =>
  action({
    title: "Create a context", sdk: "contexts.create", method: "POST", path: "/contexts/",
    body: { apiVersion: "v1", kind: "context", metadata: { name }, spec: { type, data } },
    codefresh: words(
      `codefresh create context ${type} ${quoted(name)}`,
      ...Object.entries(data).map(([key, value]) => `-v ${pairWord(key, value)}`),
    ),
  });

export const deleteContext = (name: string): Action =>
  action({
    title: "Delete the context", sdk: "contexts.delete", method: "DELETE", path: "/contexts/{name}",
    at: { name },
    codefresh: `codefresh delete context ${quoted(name)}`,
  });

type Key = Schemas["KeyOut"];

/** Answers the text of the key, this once. `expiresAt` is empty for never. */
export const generateKey = (name: string, scopes: string[], expiresAt: string): Action<string> =>
  action({
    title: "Generate a key", sdk: "tokens.generate", method: "POST", path: "/auth/key",
    body: { name, ...(scopes.length ? { scopes } : {}), ...(expiresAt ? { expiresAt } : {}) },
    // The client knows no end of a key.
    codefresh: expiresAt ? undefined : words(`codefresh create token ${quoted(name)}`, flags("-s", scopes)),
  });

export const changeKey = ({ _id }: Key, name: string, scopes: string[]): Action<Key> =>
  action({
    title: "Change the key", sdk: "tokens.patch", method: "PATCH", path: "/auth/key/{id}",
    at: { id: _id },
    body: { name, scopes },
    codefresh: scopes.length ? words(`codefresh patch token ${_id} --name ${quoted(name)}`, flags("-s", scopes)) : undefined,
  });

export const revokeKey = ({ _id }: Key): Action =>
  action({
    title: "Revoke the key", sdk: "tokens.delete", method: "DELETE", path: "/auth/key/{id}",
    at: { id: _id },
    codefresh: `codefresh delete token ${_id}`,
  });

export const endSessions = (): Action =>
  action({ title: "End your sessions on all devices", sdk: "auth.logout", method: "POST", path: "/auth/logout" });

export const chooseEnvironment = (name: string): Action =>
  action({
    title: `Make ${name} the default`, sdk: "runtimeEnvs.setDefault", method: "PUT", path: "/runtime-environments/default/{name}",
    at: { name },
    codefresh: `codefresh patch runtime-environments ${quoted(name)} --default`,
  });

type Team = Schemas["TeamOut"];

export const createTeam = (name: string): Action<Team> =>
  action({
    title: "Create a team", sdk: "teams.create", method: "POST", path: "/team",
    body: { name, tags: [], users: [] },
    codefresh: `codefresh create teams ${quoted(name)}`,
  });

export const renameTeam = ({ _id }: Team, name: string): Action<Team> =>
  action({
    title: "Rename the team", sdk: "teams.rename", method: "PUT", path: "/team/{id}/renameTeam",
    at: { id: _id },
    body: { name },
  });

export const deleteTeam = ({ _id }: Team): Action =>
  action({ title: "Delete the team", sdk: "teams.delete", method: "DELETE", path: "/team/{id}", at: { id: _id } });

export const addMember = ({ _id }: Team, userId: string): Action<Team> =>
  action({
    title: "Put a user into the team", sdk: "teams.addUser", method: "PUT", path: "/team/{teamId}/{userId}/assignUserToTeam",
    at: { teamId: _id, userId },
    codefresh: `codefresh patch teams -t ${_id} -u ${userId}`,
  });

export const removeMember = ({ _id, name }: Team, userId: string, userName: string): Action<Team> =>
  action({
    title: `Take ${userName} out of the team ${name}`, sdk: "teams.removeUser", method: "PUT", path: "/team/{teamId}/{userId}/deleteUserFromTeam",
    at: { teamId: _id, userId },
    codefresh: `codefresh delete teams -t ${_id} -u ${userId}`,
  });

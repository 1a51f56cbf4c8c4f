/** What is done with systems outside: clusters, registries, trigger events and their links. */
import type { Schemas } from "../api";
import { type Action, action } from "../action";
import { flags, pairWord, quoted, words } from "../commands.svelte";
import type { Secret } from "../secret";

export type Cluster = Schemas["ClusterOut"];

export interface NewCluster {
  selector: string;
  behindFirewall: boolean;
  kubeconfig?: Secret;
  kubeContext?: string;
  host?: string;
  serviceAccountToken?: Secret;
  clientCa?: string;
}

/** Register a cluster by a kubeconfig, or by an address and a token. The server calls it first. */
export const registerCluster = (given: NewCluster): Action<Cluster> =>
  action({
    title: "Register a cluster", sdk: "clusters.create", method: "POST", path: "/clusters/{provider}/cluster",
    at: { provider: "local" },
    body: given,
    codefresh: given.kubeconfig
      ? words(
          "codefresh create cluster",
          given.selector && quoted(given.selector),
          '--kube-config-path "$KUBECONFIG"',
          given.kubeContext && flags("--kube-context", [given.kubeContext]),
          given.behindFirewall && "--behind-firewall",
        )
      : undefined,
  });

export const testCluster = ({ selector }: Cluster): Action =>
  action({ title: `Test the connection to ${selector}`, sdk: "clusters.test", method: "POST", path: "/clusters/{selector}/test", at: { selector } });

export const deleteCluster = ({ _id, provider, selector }: Cluster): Action =>
  action({
    title: "Delete the cluster", sdk: "clusters.delete", method: "DELETE", path: "/clusters/{provider}/cluster/{id}",
    at: { provider, id: _id },
    codefresh: `codefresh delete cluster ${quoted(selector)}`,
  });

export const putPullSecret = (selector: string, namespace: string, registry: string): Action<{ name: string }> =>
  action({
    title: "Store a pull secret", sdk: "kubernetes.generateImagePullSecret", method: "POST", path: "/kubernetes/secrets/imagePullSecret",
    query: { selector, namespace },
    body: { registry },
    codefresh: words(
      "codefresh generate image-pull-secret",
      flags("--cluster", [selector]),
      flags("--namespace", [namespace]),
      flags("--registry", [registry]),
    ),
  });

export interface Registry {
  _id: string;
  name: string;
  provider: string;
  domain: string;
  default: boolean;
  behindFirewall?: boolean;
  repositoryPrefix?: string;
  [field: string]: unknown;
}

export type RegistryFields = Record<string, string | boolean | Secret | undefined>;

export const testRegistry = (fields: RegistryFields): Action =>
  action({ title: "Test the login", sdk: "registries.test", method: "POST", path: "/registries/test", body: fields });

export const createRegistry = (fields: RegistryFields): Action<Registry> =>
  action({ title: "Add a registry", sdk: "registries.create", method: "POST", path: "/registries", body: fields });

/** Change what is given; a secret that is not given stays. */
export const changeRegistry = ({ _id }: Registry, fields: RegistryFields): Action<Registry> =>
  action({ title: "Change the registry", sdk: "registries.patch", method: "PATCH", path: "/registries/{id}", at: { id: _id }, body: fields });

export const chooseRegistry = ({ _id, name }: Registry): Action<Registry> =>
  action({ title: `Make ${name} the default`, sdk: "registries.setDefault", method: "PATCH", path: "/registries/{id}/default", at: { id: _id } });

export const deleteRegistry = ({ _id }: Registry): Action =>
  action({
    title: "Delete the registry", sdk: "registries.delete", method: "DELETE", path: "/registries/{id}",
    at: { id: _id },
    codefresh: `codefresh delete registry ${_id}`,
  });

/** Answers the address of the event: `cron:codefresh:@daily:nightly:3f1c5ad0c2b9`. */
export const createEvent = (type: string, kind: string, values: Record<string, string>, secret?: Secret): Action<string> =>
  action({
    title: "Create an event", sdk: "triggers.events.create", method: "POST", path: "/hermes/events",
    query: { public: "false" },
    body: { type, kind, values, ...(secret ? { secret } : {}) },
    codefresh: words(
      `codefresh create trigger-event --type ${quoted(type)} --kind ${quoted(kind)}`,
      ...Object.entries(values).map(([key, value]) => `-v ${pairWord(key, value)}`),
      secret && `--secret "$${secret.name}"`,
    ),
  });

export const deleteEvent = (uri: string): Action =>
  action({
    title: "Delete the event", sdk: "triggers.events.remove", method: "DELETE", path: "/hermes/events/{event}",
    at: { event: uri },
    codefresh: `codefresh delete trigger-event ${quoted(uri)}`,
  });

export const linkEvent = (uri: string, pipeline: string, filters: Record<string, string>): Action =>
  action({
    title: "Let the event start the pipeline", sdk: "triggers.create", method: "POST", path: "/hermes/triggers/{event}/{pipeline}",
    at: { event: uri, pipeline },
    body: { filters },
    codefresh: words(
      "codefresh create trigger",
      quoted(uri),
      quoted(pipeline),
      // A client takes all words after it.
      ...Object.entries(filters).map(([key, value]) => `--filter ${pairWord(key, value)}`),
    ),
  });

export const unlinkEvent = (uri: string, pipeline: string): Action =>
  action({
    title: "Unlink the event from the pipeline", sdk: "triggers.delete", method: "DELETE", path: "/hermes/triggers/{event}/{pipeline}",
    at: { event: uri, pipeline },
    codefresh: words("codefresh delete trigger", quoted(uri), quoted(pipeline)),
  });

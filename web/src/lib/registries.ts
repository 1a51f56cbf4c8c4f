/** The forms of the registries: what each provider logs in with. */

export interface Field {
  name: string; // as the API has it
  label: string;
  hidden?: "password" | "text"; // a secret, of one line or of many
  hint?: string;
  needed?: boolean;
}

interface Provider {
  title: string;
  domain: string; // what stands in the form first
  hint?: string; // the form of its domain
  fields: Field[];
  note?: string;
}

const USER: Field = { name: "username", label: "User name", needed: true };
const PASSWORD: Field = { name: "password", label: "Password or access token", hidden: "password", needed: true };
const KEYFILE: Field = { name: "keyfile", label: "Key file of a service account, JSON", hidden: "text", needed: true };

export const PROVIDERS: Record<string, Provider> = {
  other: { title: "any registry", domain: "", hint: "registry.example.org or host:port", fields: [USER, PASSWORD] },
  dockerhub: { title: "Docker Hub", domain: "docker.io", fields: [USER, PASSWORD] },
  quay: { title: "Quay", domain: "quay.io", fields: [USER, PASSWORD] },
  acr: {
    title: "Azure",
    domain: "",
    hint: "my-registry.azurecr.io",
    fields: [
      { name: "clientId", label: "Client id of a service principal", needed: true },
      { name: "clientSecret", label: "Client secret", hidden: "password", needed: true },
    ],
  },
  gar: { title: "Google Artifact Registry", domain: "", hint: "europe-west1-docker.pkg.dev", fields: [KEYFILE] },
  gcr: { title: "Google Container Registry", domain: "gcr.io", fields: [KEYFILE] },
  ecr: {
    title: "Amazon",
    domain: "",
    hint: "123456789012.dkr.ecr.eu-west-1.amazonaws.com",
    fields: [
      { name: "username", label: "User name", hint: "AWS" },
      { name: "password", label: "Password of aws ecr get-login-password", hidden: "password" },
      { name: "region", label: "Region", hint: "eu-west-1" },
      { name: "accessKeyId", label: "Access key id" },
      { name: "secretAccessKey", label: "Secret access key", hidden: "password" },
    ],
    note: "Logins with AWS keys are not carried out here: builds log in with the user AWS and the password, which is good for 12 hours.",
  },
  bintray: {
    title: "Bintray or Artifactory",
    domain: "",
    hint: "my-team-docker.jfrog.io",
    fields: [USER, { name: "token", label: "Token", hidden: "password", needed: true }],
  },
};

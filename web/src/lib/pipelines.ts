/** Pipelines as their documents. */
import { get, segment } from "./api";

export interface Variable {
  key: string;
  value?: unknown;
  encrypted?: boolean;
}

export interface Trigger {
  name: string;
  id?: string;
  type?: string;
  repo?: string;
  events?: string[];
  branchRegex?: string;
  expression?: string;
  message?: string;
  disabled?: boolean;
  endpoint?: string;
  lastExecutionDate?: string;
  lastError?: string;
  [field: string]: unknown;
}

export interface Pipeline {
  version?: string;
  kind?: string;
  metadata: {
    id: string;
    name: string;
    revision: number;
    description?: string;
    project?: string;
    shortName?: string;
    updated_at?: string;
    labels?: Record<string, unknown> & { tags?: string[] };
    originalYamlString?: string;
    [field: string]: unknown;
  };
  spec: Record<string, unknown> & {
    triggers?: Trigger[];
    cronTriggers?: Trigger[];
    variables?: Variable[];
    contexts?: string[];
    steps?: Record<string, unknown>;
  };
}

// What the server works out for every answer.
export const DERIVED = ["id", "accountId", "project", "projectId", "shortName", "revision", "created_at", "updated_at", "originalYamlString"];

/** With its text, also where only fields are stored: an object of this language puts the names `9` and `10` in order. */
export const readPipeline = (name: string) => get<Pipeline>(`/pipelines/${segment(name)}`, { withText: true });

/** What is sent of a pipeline: its steps as text, where there is one; the server reads the fields from it. */
export function sent<T extends Pick<Pipeline, "metadata" | "spec">>(pipeline: T): T {
  if (!pipeline.metadata.originalYamlString || pipeline.spec.specTemplate) return pipeline;
  const spec = { ...pipeline.spec };
  delete spec.steps;
  return { ...pipeline, spec };
}


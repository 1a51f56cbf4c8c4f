/** Trigger events, and what the server says of their types. */
import { get, type Schemas } from "./api";

export type Event = Schemas["EventOut"];
export type Link = Schemas["TriggerOut"];

export interface EventType {
  type: string;
  kind: string;
  config: { name: string; type: string; validator: string }[];
  filters: { name: string; help: string }[];
}

export const readEvents = () => get<Event[]>("/hermes/events", { public: false });
export const readTypes = () => get<EventType[]>("/hermes/types");

/** A pattern for the field of a form; none where the server's rule is no regular expression of one. */
export const patternOf = (validator: string): string | undefined => validator.replace(/^\^|\$$/g, "") || undefined;

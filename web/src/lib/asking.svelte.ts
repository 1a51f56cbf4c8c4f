/** A dialog about something: whether it is open, and what it is about. */
import type { Command } from "./commands.svelte";

export class Asking<T> {
  open = $state(false);
  subject: T | undefined = $state.raw();

  /** Open the dialog about `subject`. */
  ask = (subject: T): void => {
    this.subject = subject;
    this.open = true;
  };

  /** The commands of the dialog, which are shown in it; none while it is closed. */
  commands(of: (subject: T) => Command[]): Command[] {
    return this.open && this.subject !== undefined ? of(this.subject).map((one) => ({ ...one, inside: true })) : [];
  }
}

/** A dialog about something: whether it is open, and what it is about. */
export class Asking<T> {
  open = $state(false);
  subject: T | undefined = $state.raw();

  /** Open the dialog about `subject`. */
  ask = (subject: T): void => {
    this.subject = subject;
    this.open = true;
  };
}

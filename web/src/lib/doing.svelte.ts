/** An action that a dialog does: whether it is under way, and what the server refused. */
import { type Action, perform } from "./action";

export class Doing {
  busy = $state(false);
  failure: unknown = $state.raw();

  /** Do it, or only `done` without an action; true where it was done. `check` may throw before anything is sent. */
  async run<T>(action?: Action<T>, done?: (answer: T | undefined) => unknown, check?: () => void): Promise<boolean> {
    this.busy = true;
    this.failure = undefined;
    try {
      check?.();
      const answer = action && (await perform(action));
      await done?.(answer);
    } catch (reason) {
      this.failure = reason;
    }
    this.busy = false;
    return this.failure === undefined;
  }
}

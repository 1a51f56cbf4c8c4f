/** What a view has read: the newest answer, or why there is none. */

export class Reading<T> {
  value: T | undefined = $state.raw();
  failure: unknown = $state.raw();
  private asked = 0;
  private readonly read: () => Promise<T>;

  constructor(read: () => Promise<T>) {
    this.read = read;
  }

  /** Read it (again); in `$effect` it follows what `read` depends on. An overtaken answer is dropped. */
  load = async (): Promise<void> => {
    const mine = ++this.asked;
    try {
      const value = await this.read();
      if (mine === this.asked) [this.value, this.failure] = [value, undefined];
    } catch (reason) {
      if (mine === this.asked) this.failure = reason;
    }
  };
}

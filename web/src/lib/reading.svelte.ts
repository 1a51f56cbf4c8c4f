/** What a view has read: the newest answer, or why there is none. */
import { onChange, type Kind } from "./live.svelte";

export class Reading<T> {
  value: T | undefined = $state.raw();
  failure: unknown = $state.raw();
  private asked = 0;
  private readonly read: () => Promise<T>;

  /** `kinds` are those whose changes make it read again; it is made while a component is. */
  constructor(read: () => Promise<T>, ...kinds: Kind[]) {
    this.read = read;
    if (!kinds.length) return; // the caller says when
    $effect(() => void this.load()); // follows what `read` depends on
    $effect(() => {
      const stops = kinds.map((kind) => onChange(kind, this.load));
      return () => stops.forEach((stop) => stop());
    });
  }

  /** Read it (again). An overtaken answer is dropped. */
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
